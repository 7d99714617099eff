import type { FieldChanges, RedirectAction, RouteMatch, RouteOrigin } from './route.js';

/** What a callee's sidecar does with a request that it let in, before its app is asked: the first route that is met says it. */
export interface InboundRoute {
  readonly name: string;
  readonly match: RouteMatch;
  /** Changes of fields as they stand: a `%` in a value is no command. */
  readonly requestFields: FieldChanges | null;
  /** Authority that the app is shown; absent = as it came. */
  readonly host?: string;
  /** The sidecar's own answer; one that leads to where the request already is counts for nothing. Null = the app is asked. */
  readonly redirect: RedirectAction | null;
  readonly origin: RouteOrigin;
}

/** Whether it does anything, and not only keeps its requests from the routes behind it. */
export function saysAnything({ requestFields, host, redirect }: InboundRoute): boolean {
  return requestFields !== null || host !== undefined || redirect !== null;
}
