import { SECURED } from '../model/exchange.js';
import type { ExplainedStep, Explanation } from '../model/explanation.js';
import { blameWords, FAILURES, failureSentence } from '../model/failure.js';
import { codesText } from '../model/retries.js';
import type { SourceRef } from '../model/source.js';
import type { AccessAnswer } from './access.js';
import type { DescribedRequest } from './request.js';
import { type Share, type Simulation, statusOf } from './simulate.js';

/** What would happen to a described request, in sentences, in the order in which its caller's sidecar decides. */
export function tellSimulation(request: DescribedRequest, simulation: Simulation): Explanation {
  const { from } = request;
  const steps: ExplainedStep[] = [];
  const say = (text: string, outcome: ExplainedStep['outcome'] = 'ok'): void => {
    steps.push({ depth: 0, workload: from, text, outcome });
  };
  const { edge, entry, host, considered, route, failure, answer, shares, fault, retry, timeoutMs, mirrors } =
    simulation;
  say(`${from} asks for ${request.method} ${request.path} at ${request.host}`);
  if (entry !== null) tellAccess([entry], say);
  if (entry?.allowed === false) say(failureSentence(entry.failure, from), 'failed');
  else if (host === null)
    say(
      failure === null
        ? `${request.host} is not in the mesh: passed on to where it goes`
        : failureSentence(failure, request.host),
      failure === null ? 'ok' : 'failed',
    );
  else
    say(
      edge ? `${request.host} is served by the routes of ${host}` : `the name ${request.host} is the service ${host}`,
    );
  for (const { rule, source, why } of considered)
    if (why !== '') say(`${rule}${placed(source)} is not met: ${why}`, 'skipped');
  if (route !== null)
    say(`${route.rule}${placed(route.source)} is met${considered.length > 1 ? ', and the first that is decides' : ''}`);
  else if (host !== null && failure !== null) say(failureSentence(failure, edge ? request.host : host), 'failed');
  if (fault?.delay != null)
    say(`${fault.delay.percent} % wait ${fault.delay.ms} ms first, as its fault says`, 'warning');
  if (fault?.abort != null)
    say(`${fault.abort.percent} % are answered ${fault.abort.status} at once, as its fault says`, 'warning');
  if (answer !== null)
    say(
      `the sidecar itself answers ${answer.status}${answer.kind === 'redirect' ? ' and sends the caller elsewhere' : ''}`,
    );
  for (const share of shares) {
    const kept = isKeptOut(share);
    // What keeps it out is told in the order in which it is met: after the way to there.
    say(shareSentence(kept ? { ...share, failure: null } : share), share.failure === null || kept ? 'ok' : 'failed');
    tellAccess(share.access, say);
    if (kept) say(shareSentence(share), 'failed');
    for (const { workload, text, source, status } of share.inbound)
      say(`${workload}: ${text}${status === null ? '' : `, ${status}`}${placed(source)}`);
  }
  if (timeoutMs !== null) say(`it waits ${timeoutMs} ms for all of it`);
  if (retry !== null)
    say(
      `up to ${retry.attempts} ${retry.attempts === 1 ? 'retry' : 'retries'} on ${[...retry.retryOn, ...codesText(retry.retriableStatusCodes)].join(', ')} (${retry.origin})`,
    );
  for (const { cluster, percent } of mirrors) say(`${percent} % are copied to ${cluster.split('|')[3]}`);
  return { requestId: '', summary: summaryOf(request, simulation), steps, ...verdictOf(request, simulation) };
}

/** Whether there is somebody to ask, who does not let it in. */
function isKeptOut({ failure, access }: Share): boolean {
  return failure !== null && FAILURES[failure].blame === 'callee-policy' && access.length > 0;
}

/** Who lets it in or keeps it out, and why no other rule was met. */
function tellAccess(
  access: readonly AccessAnswer[],
  say: (text: string, outcome: ExplainedStep['outcome']) => void,
): void {
  for (const { workload, allowed, text, source, considered } of access) {
    for (const { rule, source: place, why } of considered)
      if (why !== '') say(`${workload}: ${rule}${placed(place)} is not met: ${why}`, 'skipped');
    say(`${workload}: ${text}${placed(source)}`, allowed ? 'ok' : 'failed');
  }
}

function placed(source: SourceRef | null): string {
  return source === null ? '' : ` (${source.file}:${source.line})`;
}

function shareSentence(told: Share): string {
  const { percent, service, subset, endpoints, tls, originated, failure } = told;
  const share = percent === 100 ? '' : `${Math.round(percent * 100) / 100} %: `;
  const where = `${service}${subset === '' ? '' : ` ${subset}`}`;
  const asked = originated === null ? '' : `${originated.object}${placed(originated.source)}`;
  const why = originated?.roots.kind === 'none' ? `: ${asked}: ${originated.roots.why}` : '';
  if (failure !== null) return `${share}${failureSentence(failure, where)}${failure === 'tls_failure' ? why : ''}`;
  const who = endpoints.length === 1 ? endpoints[0] : `one of ${endpoints.join(', ')}`;
  return `${share}to ${who} of ${where}, ${SECURED[tls]}${asked === '' ? '' : `, as ${asked} says`}${plainSentence(told)}`;
}

/** Whom it reaches in plaintext, where that is not so of all, and why it does. */
function plainSentence({ plain, plainOnly, endpoints }: Share): string {
  const who = plain.length === 0 ? '' : `, in plaintext to ${plain.join(', ')}`;
  if (plainOnly.length === 0) return who;
  const all = plainOnly.length === (plain.length > 0 ? plain : endpoints).length;
  return `${who}, since ${all ? 'mutual TLS is' : `at ${plainOnly.join(', ')} mutual TLS is`} switched off there (PeerAuthentication)`;
}

function summaryOf({ method, path }: DescribedRequest, { answer, failure, shares }: Simulation): string {
  const what = `${method} ${path}`;
  if (answer !== null) return `${what} would be answered ${answer.status} by the mesh`;
  if (failure !== null) return `${what} would be answered ${FAILURES[failure].status} by the mesh`;
  const [only] = shares;
  const status = only === undefined || shares.length > 1 ? null : statusOf(only);
  if (status !== null) return `${what} would be answered ${status} by the mesh`;
  if (shares.length === 0) return `${what} would leave the mesh`;
  return `${what} would go to ${shares.map(({ service, subset }) => `${service}${subset === '' ? '' : ` ${subset}`}`).join(' or ')}`;
}

function verdictOf({ from, host: named }: DescribedRequest, { edge, entry, failure, shares, host }: Simulation) {
  const share = shares.find((one) => one.failure !== null);
  const code = failure ?? share?.failure ?? null;
  if (code === null) return { blame: null, verdict: '' };
  const { blame } = FAILURES[code];
  const turnedAway = entry?.allowed === false;
  const service = turnedAway ? from : (share?.service ?? (edge ? named : (host ?? named)));
  const callee = turnedAway ? '' : (share?.access.find(({ allowed }) => !allowed)?.workload ?? service);
  return { blame, verdict: `${blameWords(blame, { caller: from, callee })}: ${failureSentence(code, service)}.` };
}
