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
  /** Only every Nth matching request (counted per sidecar); null = all. */
  readonly every: number | null;
  /** Epoch ms after which it does nothing; null = without end. */
  readonly until: number | null;
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

/** What happens to a request, in this order; most faults have one part. */
export interface FaultAction {
  /** In the callers' sidecars: no connection comes about. */
  readonly connection: ConnectionFault | null;
  readonly delay: { readonly ms: number; readonly jitterMs: number } | null;
  /** `blackhole`: no answer ever comes. */
  readonly end:
    | { readonly kind: 'abort'; readonly status: number }
    | { readonly kind: 'reset' }
    | { readonly kind: 'blackhole' }
    | null;
  /** The app answers, and the answer suffers on its way. */
  readonly answer: AnswerFault | null;
}

export const CONNECTION_FAULTS = ['refused', 'tls-failure', 'expired-certificate', 'dns-failure'] as const;
export type ConnectionFault = (typeof CONNECTION_FAULTS)[number];

export interface AnswerFault {
  /** The body comes this slowly. */
  readonly bytesPerSecond: number | null;
  /** The connection breaks after so many bytes of the body. */
  readonly truncateAfter: number | null;
  /** One byte of the body is another. */
  readonly corrupt: boolean;
  /** The end of the answer comes so much later, ms. */
  readonly slowCloseMs: number | null;
}

/** Whether its time is over at `now` (epoch ms). */
export function isOver({ until }: Fault, now: number): boolean {
  return until !== null && now > until;
}

const CONNECTION_WORDS: Readonly<Record<ConnectionFault, string>> = {
  refused: 'refuse connections',
  'tls-failure': 'break the TLS handshake',
  'expired-certificate': 'show an expired certificate',
  'dns-failure': 'have a name that cannot be resolved',
};

/** `delay 300±50 ms, then abort 503` - for screens and logs. */
export function describeFaultAction({ connection, delay, end, answer }: FaultAction): string {
  const parts: string[] = [];
  if (connection !== null) parts.push(CONNECTION_WORDS[connection]);
  if (delay !== null) parts.push(`delay ${delay.ms}${delay.jitterMs > 0 ? `±${delay.jitterMs}` : ''} ms`);
  if (end?.kind === 'abort') parts.push(`abort ${end.status}`);
  if (end?.kind === 'reset') parts.push('reset the connection');
  if (end?.kind === 'blackhole') parts.push('never answer');
  if (answer !== null) parts.push(...describeAnswerFault(answer));
  return parts.join(', then ') || 'nothing';
}

function describeAnswerFault({ bytesPerSecond, truncateAfter, corrupt, slowCloseMs }: AnswerFault): string[] {
  const parts: string[] = [];
  if (bytesPerSecond !== null) parts.push(`answer at ${bytesPerSecond} bytes/s`);
  if (corrupt) parts.push('corrupt a byte of the answer');
  if (truncateAfter !== null) parts.push(`cut the answer after ${truncateAfter} bytes`);
  if (slowCloseMs !== null) parts.push(`end the answer ${slowCloseMs} ms late`);
  return parts;
}

/** One sentence: what, to whom, how often, for whom. */
export function describeFault(fault: Fault): string {
  const parts = [`${describeFaultAction(fault.action)} at ${fault.to}`];
  if (fault.percent < 100) parts.push(`for ${fault.percent} % of requests`);
  if (fault.first !== null) parts.push(`the first ${fault.first}`);
  if (fault.every !== null) parts.push(`every ${ordinal(fault.every)}`);
  if (fault.until !== null) parts.push(`until ${new Date(fault.until).toISOString().slice(11, 19)} UTC`);
  if (fault.match.from) parts.push(`from ${fault.match.from}`);
  if (fault.match.path) parts.push(`on ${fault.match.path}*`);
  for (const [name, value] of Object.entries(fault.match.headers)) parts.push(`with ${name}: ${value}`);
  return parts.join(', ');
}

function ordinal(n: number): string {
  const teen = n % 100 > 10 && n % 100 < 14;
  return `${n}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
}
