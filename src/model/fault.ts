/**
 * Our own small kind `Fault` (`apiVersion: mesh-sandbox.dev/v1`): a sickness of the callee, acted at the callee's
 * inbound sidecar, so that callers' retries meet it as they would meet a sick service (DESIGN §6).
 */
export interface Fault {
  /** Unique in the sandbox; `f1`, `f2`, … when the user gave none. */
  readonly name: string;
  /** Service (`ratings`) or workload (`reviews-v2`) that is sick. */
  readonly to: string;
  readonly match: FaultMatch;
  readonly action: FaultAction;
  /** Share of matching requests, 0-100. */
  readonly percent: number;
  /** Only the first N matching requests (counted per sidecar); null = all. */
  readonly first: number | null;
  /** A disabled fault stays in the list and does nothing (the TUI's toggle). */
  readonly enabled: boolean;
}

export interface FaultMatch {
  /** Caller: workload name, service name or SPIFFE ID; null = anybody. */
  readonly from: string | null;
  /** Exact header values by lower-case name; `*` = present. */
  readonly headers: Readonly<Record<string, string>>;
  /** Path prefix; null = any path. */
  readonly path: string | null;
}

/** A delay may come together with an abort or reset: the delay first, then the end. */
export interface FaultAction {
  readonly delay: { readonly ms: number; readonly jitterMs: number } | null;
  readonly end: { readonly kind: 'abort'; readonly status: number } | { readonly kind: 'reset' } | null;
}

/** `delay 300±50 ms, then abort 503` - for screens and logs. */
export function describeFaultAction(action: FaultAction): string {
  const parts: string[] = [];
  if (action.delay) {
    const jitter = action.delay.jitterMs > 0 ? `±${action.delay.jitterMs}` : '';
    parts.push(`delay ${action.delay.ms}${jitter} ms`);
  }
  if (action.end?.kind === 'abort') parts.push(`abort ${action.end.status}`);
  if (action.end?.kind === 'reset') parts.push('reset the connection');
  return parts.join(', then ') || 'nothing';
}

/** One sentence: what, to whom, how often, for whom. */
export function describeFault(fault: Fault): string {
  const parts = [`${describeFaultAction(fault.action)} at ${fault.to}`];
  if (fault.percent < 100) parts.push(`for ${fault.percent} % of requests`);
  if (fault.first !== null) parts.push(`the first ${fault.first}`);
  if (fault.match.from) parts.push(`from ${fault.match.from}`);
  if (fault.match.path) parts.push(`on ${fault.match.path}*`);
  for (const [name, value] of Object.entries(fault.match.headers)) parts.push(`with ${name}: ${value}`);
  return parts.join(', ');
}
