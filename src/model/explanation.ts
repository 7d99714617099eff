import type { Blame } from './failure.js';

/** What `explain` says about one request: sentences in the order in which things happened. */
export interface Explanation {
  readonly requestId: string;
  /** `GET /productpage answered 200 after 12 ms`. */
  readonly summary: string;
  readonly steps: readonly ExplainedStep[];
  /** Whose fault a failure was; null when the request ended well. */
  readonly blame: Blame | null;
  /** Why it is theirs, one sentence; empty when the request ended well. */
  readonly verdict: string;
}

export interface ExplainedStep {
  /** Depth in the tree of calls, 0 = gateway. */
  readonly depth: number;
  /** Workload whose sidecar reports this. */
  readonly workload: string;
  readonly text: string;
  readonly outcome: 'ok' | 'warning' | 'failed' | 'skipped';
}
