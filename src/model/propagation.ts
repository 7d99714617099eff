/**
 * What a call that an app makes inherits from the call that it makes it for, where the app passes `traceparent` on. No
 * mesh does this by itself; both are off unless asked for.
 */
export interface Propagation {
  /** Nobody waits for it longer than for that one. */
  readonly deadline: boolean;
  /** Only the first proxy on the way retries. */
  readonly retries: boolean;
}

export const NO_PROPAGATION: Propagation = { deadline: false, retries: false };
