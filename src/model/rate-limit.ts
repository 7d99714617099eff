import type { RouteMatch } from './route.js';

/** A limit at the callee: so many requests, refilled evenly. Shapes follow Envoy's local rate limit. */
export interface RateLimit {
  readonly name: string;
  /** The workload's own port whose requests it counts; absent = each. */
  readonly port?: number;
  /** Which requests it counts; null = all. */
  readonly match: RouteMatch | null;
  /** Which of them it does not count after all. */
  readonly except?: readonly RouteMatch[];
  /** One bucket for everybody, or one for each caller (by identity; callers without one share theirs, as in Linkerd). */
  readonly per: 'workload' | 'client';
  /** Callers with a bucket of their own size, by SPIFFE ID, account or app (Linkerd's overrides); they have no other. */
  readonly overrides: Readonly<Record<string, { readonly tokens: number; readonly perMs: number }>>;
  /** Most tokens that are saved up: what may come at once. */
  readonly burst: number;
  /** So many tokens come in `perMs`. */
  readonly tokens: number;
  readonly perMs: number;
}
