/** Cases in which the sandbox does something else than Istio was observed to do, and why. */
export const CALLEE_REASONS: Readonly<Record<string, string | undefined>> = {};
