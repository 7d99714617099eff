import type { RetryBudget } from '../../model/cluster.js';
import {
  expression,
  flag,
  list,
  number,
  type Read,
  type Reader,
  reader,
  table,
  tableWith,
  text,
  unsupported,
  whole,
} from '../../yaml/readers.js';
import { ANY } from '../../yaml/shape.js';
import { goDuration } from '../words.js';
import { quantity } from './words.js';

/** What a request must be; all that it says must hold. */
export interface RequestCondition {
  readonly method?: string;
  readonly pathRegex?: string;
  readonly all?: readonly RequestCondition[];
  readonly any?: readonly RequestCondition[];
}

/** What an answer must be; all that it says must hold. */
export interface ResponseCondition {
  readonly status?: { readonly min?: number; readonly max?: number };
  readonly all?: readonly ResponseCondition[];
  readonly any?: readonly ResponseCondition[];
  readonly not?: ResponseCondition;
}

// Conditions hold conditions; how deep a document may be is the parser's affair.
const requestCondition: Reader<RequestCondition> = reader(ANY, (view, where, findings) =>
  requestFields(view, where, findings),
);
const requestFields = table({
  method: text,
  pathRegex: expression,
  all: list(requestCondition),
  any: list(requestCondition),
  not: unsupported('a route is found by what a request is, not by what it is not'),
});

const responseCondition: Reader<ResponseCondition> = reader(ANY, (view, where, findings) =>
  responseFields(view, where, findings),
);
const status = whole(100, 599);
const responseFields = table<Required<ResponseCondition>>({
  status: table({ min: status, max: status }),
  all: list(responseCondition),
  any: list(responseCondition),
  not: responseCondition,
});

const route = tableWith(['name', 'condition'], {
  name: text,
  condition: requestCondition,
  responseClasses: list(tableWith(['condition'], { condition: responseCondition, isFailure: flag })),
  isRetryable: flag,
  timeout: goDuration,
});

/** Routes of a Service by method and path, as Linkerd had them before HTTPRoutes (linkerd.io ServiceProfile). */
export const serviceProfile = table({
  routes: list(route),
  retryBudget: table({ retryRatio: number(0, 1_000), minRetriesPerSecond: whole(0, 1_000_000), ttl: goDuration }),
  dstOverrides: list(tableWith(['authority', 'weight'], { authority: text, weight: quantity })),
  opaquePorts: unsupported('the Service says it: config.linkerd.io/opaque-ports'),
});

export type ServiceProfile = Read<typeof serviceProfile>;
export type ProfileRoute = Read<typeof route>;

/** Linkerd's own where a profile has none: a fifth more, and ten per second. */
export function retryBudgetOf({ retryBudget = {} }: ServiceProfile): RetryBudget {
  const { retryRatio = 0.2, minRetriesPerSecond = 10, ttl = 10_000 } = retryBudget;
  return { kind: 'rate', percent: retryRatio * 100, minimumPerSecond: minRetriesPerSecond, windowMs: ttl };
}
