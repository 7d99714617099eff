import { type Attempt, type Exchange, SECURED } from './exchange.js';
import type { ExplainedStep, Explanation } from './explanation.js';
import { type Blame, blameWords, FAILURES, type FailureCode, failureSentence } from './failure.js';
import type { SourceRef } from './source.js';

/**
 * Tells what happened to one request from the records of every sidecar on its way: sentences in the order of the calls,
 * and for a failure whose fault it was. Pure; `exchanges` are all of one request id, in any order.
 */
export function explain(requestId: string, exchanges: readonly Exchange[]): Explanation {
  const roots = treeOf(exchanges);
  const steps: ExplainedStep[] = [];
  for (const root of roots) tell(root, 0, steps);
  const entry = roots[0]?.exchange;
  return {
    requestId,
    summary: entry === undefined ? 'nothing is known of this request any more' : summaryOf(entry),
    steps,
    ...verdictOf(roots),
  };
}

interface Hop {
  readonly exchange: Exchange;
  readonly children: Hop[];
}

/** Hops as a tree by span ids; a hop whose parent is not known stands at the top. */
function treeOf(exchanges: readonly Exchange[]): Hop[] {
  const hops = [...exchanges]
    .sort((a, b) => a.startedAt - b.startedAt)
    .map((exchange): Hop => ({ exchange, children: [] }));
  const bySpan = new Map(hops.map((hop) => [hop.exchange.spanId, hop]));
  const roots: Hop[] = [];
  for (const hop of hops) {
    const parent = bySpan.get(hop.exchange.parentSpanId);
    if (parent !== undefined && parent !== hop) parent.children.push(hop);
    else roots.push(hop);
  }
  return roots;
}

function summaryOf(exchange: Exchange): string {
  const { request, response, durationMs, failure } = exchange;
  const what = `${request.method} ${request.path}`.trim() || 'a connection';
  const took = `after ${formatMs(durationMs)}`;
  if (response.status === 0)
    return `${what} got no answer ${took}: ${failure === null ? 'the connection was closed' : failureSentence(failure, subjectOf(exchange, failure))}`;
  return `${what} was answered ${response.status} ${took}`;
}

function tell(hop: Hop, depth: number, steps: ExplainedStep[]): void {
  const { exchange } = hop;
  const say = (text: string, outcome: ExplainedStep['outcome']): void => {
    steps.push({ depth, workload: exchange.reporter.workload, text, outcome });
  };
  if (exchange.reporter.direction === 'inbound') tellInbound(exchange, say);
  else tellOutbound(exchange, say);
  for (const child of hop.children) tell(child, depth + 1, steps);
  const { failure, reporter } = exchange;
  if (failure !== null)
    say(
      `${reporter.workload}: ${failureSentence(failure, subjectOf(exchange, failure))} (${flagsOf(exchange)})`,
      'failed',
    );
}

/** Whom a failure is about. The gateway's policies are its own; who asks for what leads nowhere there named only a host. */
function subjectOf({ destination, request, reporter }: Exchange, failure: FailureCode): string {
  const nobody = FAILURES[failure].blame === 'callee-policy' ? reporter.workload : request.host;
  return destination.service || destination.workload || nobody;
}

type Say = (text: string, outcome: ExplainedStep['outcome']) => void;

function tellOutbound(exchange: Exchange, say: Say): void {
  const { source, destination, request, security, attempts } = exchange;
  const { mode, tlsVersion, peer } = security;
  const lock = mode === 'plain' ? SECURED.plain : `${SECURED[mode]} (${tlsVersion}, it proved ${peer})`;
  const left =
    exchange.kind !== 'tcp' && attempts.length === 0
      ? 'which never left its sidecar'
      : attempts.length > 0 && attempts.every(isUnconnected)
        ? 'but no connection came about'
        : lock;
  const asked =
    destination.service === ''
      ? `${source.workload} was asked for ${request.method} ${request.path}, which went no further`
      : `${source.workload} asked ${destination.service} for ${request.method} ${request.path}, ${left}`;
  say(asked, 'ok');
  for (const { rule, source, why } of exchange.considered)
    if (why !== '') say(`${rule}${placed(source)} was not met: ${why}`, 'skipped');
  for (const decision of exchange.decisions)
    say(`${decision.text}${placed(decision.source)}`, decision.kind === 'fault' ? 'warning' : 'ok');
  say(timeSentence(exchange), 'ok');
  for (const attempt of attempts)
    say(attemptSentence(attempt), isBad(attempt) ? (attempt.number < attempts.length ? 'warning' : 'failed') : 'ok');
}

/** ` (reviews.yaml:7)`, or nothing. */
function placed(source: SourceRef | null): string {
  return source === null ? '' : ` (${source.file}:${source.line})`;
}

/** Where the time went, the largest share first; what is next to nothing is left out. */
function timeSentence({ durationMs, timings, reporter }: Exchange): string {
  const shares: [number, string][] = [
    [timings.upstreamMs, 'waiting for the answer'],
    [timings.bodyMs, 'passing its body on'],
    [timings.connectMs, 'connecting'],
    [timings.handshakeMs, 'in the TLS handshake'],
    [timings.queueMs, 'in queues and pauses'],
    [timings.ownMs, `in the sidecar of ${reporter.workload} itself`],
  ];
  const told = shares
    .filter(([ms]) => ms >= 0.05)
    .sort(([a], [b]) => b - a)
    .map(([ms, where]) => `${formatMs(ms)} ${where}`);
  return `of ${formatMs(durationMs)}: ${told.join(', ') || 'next to nothing anywhere'}`;
}

function tellInbound(exchange: Exchange, say: Say): void {
  const { destination, source, security, response } = exchange;
  const who =
    security.mode === 'mtls'
      ? `${source.workload}, proved by certificate (${security.peer})`
      : 'somebody in plaintext, identity unknown';
  say(`${destination.workload} was asked by ${who}`, security.mode === 'mtls' ? 'ok' : 'warning');
  for (const { rule, source: place, why } of exchange.considered)
    if (why !== '') say(`${rule}${placed(place)} was not met: ${why}`, 'skipped');
  for (const decision of exchange.decisions)
    say(`${decision.text}${placed(decision.source)}`, decision.kind === 'fault' ? 'warning' : 'ok');
  if (exchange.details === 'direct_response')
    say(`the sidecar of ${destination.workload} itself answered ${response.status}`, 'ok');
  else if (exchange.failure === null)
    say(
      `the app of ${destination.workload} answered ${response.status} in ${formatMs(exchange.timings.upstreamMs)}`,
      response.status >= 500 ? 'failed' : 'ok',
    );
}

function attemptSentence(attempt: Attempt): string {
  const came =
    attempt.failure === null
      ? `answered ${attempt.status}`
      : failureSentence(attempt.failure, attempt.workload || 'the endpoint');
  const subject = attempt.failure === null ? `${attempt.workload} (${attempt.endpoint}) ${came}` : came;
  return `try ${attempt.number}: ${subject} after ${formatMs(attempt.durationMs)}${attempt.next === '' ? '' : `; ${attempt.next}`}`;
}

/** Codes of tries for which there was no connection on which anything could be said. */
const UNCONNECTED: ReadonlySet<FailureCode> = new Set([
  'connect_failure',
  'connect_timeout',
  'dns_failure',
  'tls_failure',
  'identity_mismatch',
  'own_identity_unavailable',
]);

function isUnconnected({ failure }: Attempt): boolean {
  return failure !== null && UNCONNECTED.has(failure);
}

function isBad(attempt: Attempt): boolean {
  return attempt.failure !== null || attempt.status >= 500;
}

/** The deepest hop that failed by itself carries the blame; above it the failure was only passed on. */
function verdictOf(roots: readonly Hop[]): { blame: Blame | null; verdict: string } {
  const entry = roots[0]?.exchange;
  if (entry === undefined) return { blame: null, verdict: '' };
  const refused = entry.failure === null && entry.response.status < 500;
  const culprit = refused ? refusal(roots, entry.response.status) : deepestFailure(roots);
  if (refused && culprit === null) return { blame: null, verdict: '' };
  if (culprit === null) return { blame: 'app', verdict: 'The answer is the app’s own.' };
  const { failure, destination, response, reporter } = culprit.exchange;
  if (failure !== null) {
    const text = failureSentence(failure, subjectOf(culprit.exchange, failure));
    const blame = wasInjected(culprit) ? 'injected' : FAILURES[failure].blame;
    const callee = destination.workload || destination.service;
    return { blame, verdict: `${blameWords(blame, { caller: reporter.workload, callee })}: ${text}.` };
  }
  return {
    blame: 'app',
    verdict: `The app of ${destination.workload} itself answered ${response.status}; the mesh only passed it on.`,
  };
}

/** A callee's sidecar that turned the request away, where that is the answer that the caller got (403, 429). */
function refusal(hops: readonly Hop[], status: number): Hop | null {
  if (status < 400) return null;
  for (const hop of [...hops].reverse()) {
    const { failure, response } = hop.exchange;
    if (response.status !== status) continue;
    if (failure !== null) return FAILURES[failure].blame === 'callee-policy' ? hop : null;
    const below = refusal(hop.children, status);
    if (below !== null) return below;
  }
  return null;
}

/** Only hops that failed are followed, later tries first: an earlier try that was made good is nobody's fault. */
function deepestFailure(hops: readonly Hop[], caller: Exchange | null = null): Hop | null {
  for (const hop of [...hops].reverse()) {
    const { failure, response } = hop.exchange;
    if (failure === null && response.status < 500) continue;
    // A callee whose caller left only tells what the caller did: that one knows why.
    if (failure === 'client_gone' && caller !== null && caller.failure !== null) continue;
    return deepestFailure(hop.children, hop.exchange) ?? hop;
  }
  return null;
}

/** A fault acted here, or at the next hop, which this one waited for. */
function wasInjected({ exchange, children }: Hop): boolean {
  return [exchange, ...children.map((child) => child.exchange)].some(({ decisions }) =>
    decisions.some(({ kind }) => kind === 'fault'),
  );
}

function flagsOf(exchange: Exchange): string {
  return `flag ${exchange.flags.join(',') || '-'}, ${exchange.details}`;
}

function formatMs(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
