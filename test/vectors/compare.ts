import type { Observed, ObservedHit, VectorCase, VectorRequest } from './case.js';
import { type Hit, POD_FIELD } from './recording-app.js';
import { isRefusal, type Outcome, type SentOne } from './replay.js';

/**
 * What became otherwise than it was observed, in words; empty = equal. Not compared, as the cases themselves say: texts of
 * bodies and details; times only where a case is about them; and of counts, shares within chance.
 */
export function differences(one: VectorCase, outcomes: readonly Outcome[]): string[] {
  // Which of several equal pods is met is chance, or the hash of an address that is another here.
  const swaps = /subset/.test(one.policies ?? '') && !one.id.startsWith('rb-') ? PAIRS : ALL_SWAPS;
  return one.requests.flatMap((request, i) => {
    const outcome = outcomes[i];
    if (outcome === undefined) return [`request ${i}: not sent`];
    const before = request.compare === undefined ? undefined : outcomes[request.compare];
    const told = shortest(
      swaps.map((swap) => {
        const asked = { ...request, observed: swapped(request.observed, swap) };
        return asked.repeat === undefined ? single(asked, outcome) : repeated(asked, outcome, before);
      }),
    );
    return told.map((text) => `request ${i} (${request.method ?? 'GET'} ${request.path}): ${text}`);
  });
}

function shortest(lists: readonly string[][]): string[] {
  return lists.reduce((best, next) => (next.length < best.length ? next : best));
}

type Swap = Readonly<Record<string, string>>;

const PAIRS: readonly Swap[] = [{}, { 'details-v1-a': 'details-v1-b', 'details-v1-b': 'details-v1-a' }];
const [V1, V2, V3] = ['reviews-v1', 'reviews-v2', 'reviews-v3'];
const ALL_SWAPS: readonly Swap[] = PAIRS.flatMap((pair) =>
  [
    [V1, V2, V3],
    [V1, V3, V2],
    [V2, V1, V3],
    [V2, V3, V1],
    [V3, V1, V2],
    [V3, V2, V1],
  ].map(([a = '', b = '', c = '']) => ({ ...pair, [V1]: a, [V2]: b, [V3]: c })),
);

function swapped(observed: Observed, swap: Swap): Observed {
  const text = JSON.stringify(observed).replace(/(?:reviews|details)-v\d(?:-[ab])?/g, (pod) => swap[pod] ?? pod);
  return JSON.parse(text) as Observed;
}

type Say = (what: string, ours: unknown, theirs: unknown) => void;

function sayer(): { told: string[]; say: Say } {
  const told: string[] = [];
  const say: Say = (what, ours, theirs) => {
    const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)];
    if (a !== b) told.push(`${what} is ${a}, observed ${b}`);
  };
  return { told, say };
}

function single(request: VectorRequest, outcome: Outcome): string[] {
  const { sent, exchanges, connections } = outcome;
  const { observed } = request;
  const { told, say } = sayer();
  const [{ answer, lines }] = sent as [SentOne];
  const exchange = exchanges[0];
  say('status', answer.status, observed.status ?? null);
  // A body that was cut is nobody's answer.
  say('answering pod', (answer.whole ? answer.headers[POD_FIELD]?.[0] : undefined) ?? null, observed.from_app ?? null);
  if (isRefusal(answer)) say('status of a refusal', answer.status, observed.status);
  else if (exchange === undefined) told.push('the sidecar recorded nothing');
  else {
    say('flags', exchange.flags.join(',') || '-', observed.flags);
    if (observed.attempts !== undefined) say('attempts', exchange.attempts.length, observed.attempts);
  }
  if (observed.headers !== undefined || answer.status !== null)
    say('answer fields', answerFields(answer.headers), answerFields(observed.headers ?? {}));
  if (observed.from_app === null && observed.status !== null && (observed.status ?? 0) < 400)
    say('body', answer.body, observed.body ?? '');
  if (observed.error === undefined) say('whole', answer.whole, answer.status !== null);
  const theirs = byPod(observed.hits as readonly ObservedHit[]);
  const hits = byPod(outcome.hits);
  say(
    'hits',
    hits.map(({ pod }) => pod),
    theirs.map(({ pod }) => pod),
  );
  if (hits.length === theirs.length)
    for (const [i, hit] of hits.entries())
      compareHit(hit, theirs[i] as ObservedHit, { lines, see: request.see ?? [], say });
  if (observed.connections !== undefined) say('connections', onlyMany(connections), onlyMany(observed.connections));
  // What is cut short is held for a second by Envoy before it closes.
  if (observed.error === undefined) told.push(...times(answer.ms, observed.ms ?? 0));
  return told;
}

/** Copies may arrive before what they are copies of. */
function byPod<T extends { readonly pod: string }>(hits: readonly T[]): T[] {
  return hits.toSorted((a, b) => (a.pod === b.pod ? 0 : a.pod < b.pod ? -1 : 1));
}

interface HitContext {
  readonly lines: readonly (readonly [string, string])[];
  readonly see: readonly string[];
  readonly say: Say;
}

function compareHit(hit: Hit, theirs: ObservedHit, { lines, see, say }: HitContext): void {
  say('method at the app', hit.method, theirs.method);
  say('path at the app', hit.path, theirs.path);
  const got = fieldsOf(pairs(hit.lines));
  say('host at the app', got.get('host')?.[0] ?? '', theirs.host);
  if (theirs.attempt !== undefined) say('attempt count', Number(got.get('x-envoy-attempt-count')?.[0]), theirs.attempt);
  if (theirs.body_bytes !== undefined) say('body bytes', hit.bodyBytes, theirs.body_bytes);
  const { set, removed } = changed(fieldsOf(lines), got);
  say('fields set', sorted(set), sorted(theirs.headers_set ?? {}));
  say('fields removed', removed.sort(), [...(theirs.headers_removed ?? [])].sort());
  for (const name of see) say(`field ${name}`, got.get(name) ?? null, theirs.seen?.[name] ?? null);
}

/** Fields that a sidecar adds of its own accord, the same ones on every request. */
const OWN = new Set([
  'host',
  'x-request-id',
  'traceparent',
  'tracestate',
  'x-forwarded-proto',
  'x-forwarded-for',
  'x-forwarded-client-cert',
  'x-envoy-attempt-count',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-internal',
  'x-envoy-upstream-rq-timeout-ms-',
  'content-length',
  'transfer-encoding',
  'connection',
]);

function changed(before: Map<string, string[]>, after: Map<string, string[]>) {
  const set: Record<string, string[]> = {};
  const removed: string[] = [];
  for (const [name, values] of after)
    if (!OWN.has(name) && JSON.stringify(before.get(name)) !== JSON.stringify(values)) set[name] = values;
  for (const name of before.keys()) if (!OWN.has(name) && !after.has(name)) removed.push(name);
  return { set, removed };
}

function pairs(lines: readonly string[]): (readonly [string, string])[] {
  return Array.from(
    { length: lines.length / 2 },
    (_, i) => [lines[2 * i] as string, lines[2 * i + 1] as string] as const,
  );
}

function fieldsOf(lines: readonly (readonly [string, string])[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    fields.set(key, [...(fields.get(key) ?? []), value]);
  }
  return fields;
}

/** Fields of answers that are not compared. */
const NOT_COMPARED = new Set([
  'date',
  'server',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'content-type',
  'x-envoy-upstream-service-time',
  POD_FIELD,
]);

function answerFields(headers: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  const compared = Object.entries(headers).filter(([name]) => !NOT_COMPARED.has(name));
  return sorted(Object.fromEntries(compared.map(([name, values]) => [name, values.map(withoutHash)])));
}

/** Cookies that a sidecar gives out hold a number by chance. */
function withoutHash(value: string): string {
  return value.replace(/="[0-9a-f]{13,16}"/, '="…"');
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where a case took its time, ours must take about as long. */
function times(ours: number, theirs: number): string[] {
  if (theirs < 250) return [];
  return ours < theirs * 0.6 || ours > theirs * 1.6 + 400 ? [`it took ${Math.round(ours)} ms, observed ${theirs}`] : [];
}

function repeated(request: VectorRequest, outcome: Outcome, before: Outcome | undefined): string[] {
  const { observed } = request;
  const { sent, hits, exchanges, connections } = outcome;
  const { told, say } = sayer();
  const shares = (
    what: string,
    ours: readonly string[],
    theirs: Readonly<Record<string, number>> | undefined,
  ): void => {
    if (theirs !== undefined) told.push(...shareDifferences(what, count(ours), theirs, sent.length));
  };
  shares(
    'status',
    sent.map(({ answer }) => String(answer.status)),
    observed.statuses,
  );
  shares(
    'answering pod',
    sent.map(({ answer }) => answer.headers[POD_FIELD]?.[0] ?? 'None'),
    observed.from_apps,
  );
  // Of many requests only some are recorded, failed ones first.
  if (exchanges.length === sent.length) {
    shares(
      'flags',
      exchanges.map(({ flags }) => flags.join(',') || '-'),
      observed.flags as Record<string, number>,
    );
    shares(
      'attempts',
      exchanges.map(({ attempts }) => String(attempts.length)),
      observed.attempts as Record<string, number>,
    );
  }
  shares(
    'hits',
    hits.map(({ pod }) => pod),
    observed.hits as Record<string, number>,
  );
  if (observed.connections !== undefined) {
    // Where each request had one of its own, they are as many as came.
    const each = JSON.stringify(onlyMany(observed.connections)) === JSON.stringify(onlyMany(observed.hits as Counts));
    const wanted = each ? count(hits.map(({ pod }) => pod)) : observed.connections;
    say('connections', onlyMany(connections), onlyMany(wanted));
  }
  if (observed.compared !== undefined && before !== undefined) {
    const moved = sent.flatMap((one, i) => {
      const [then, now] = [podOf(before.sent[i] as SentOne), podOf(one)];
      return then === now ? [] : [then];
    });
    // How many are moved is a matter of where the hash puts them; that only those of one pod are is not.
    const from = new Set(Object.keys(observed.compared.moved).map((pair) => pair.split(/[^\w-]/)[0]));
    say('pods from which calls moved', new Set(moved).size <= from.size, true);
    if (from.size === 0) say('answered by the same pod', sent.length - moved.length, observed.compared.same);
  }
  return told;
}

function podOf({ answer }: SentOne): string {
  return answer.headers[POD_FIELD]?.[0] ?? 'None';
}

type Counts = Readonly<Record<string, number>>;

function total(counts: Readonly<Record<string, number>> = {}): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}

function onlyMany(counts: Readonly<Record<string, number>>): Record<string, number> {
  return sorted(Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)));
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** Two samples of one chance differ by so many standard errors once in a thousand times. */
const Z = 3.3;

function shareDifferences(
  what: string,
  ours: Readonly<Record<string, number>>,
  theirs: Readonly<Record<string, number>>,
  requests: number,
): string[] {
  const [all, others] = [total(ours), total(theirs)];
  // Tries of one request go together where a hash chooses, so that there are as many draws as requests.
  const [n, m] = [Math.min(all, requests), Math.min(others, requests)];
  if (n === 0 || m === 0)
    return n === m ? [] : [`${what}: ${JSON.stringify(ours)}, observed ${JSON.stringify(theirs)}`];
  const off = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].filter((key) => {
    const [a, b] = [(ours[key] ?? 0) / all, (theirs[key] ?? 0) / others];
    const p = (a * n + b * m) / (n + m);
    return Math.abs(a - b) > Z * Math.sqrt(p * (1 - p) * (1 / n + 1 / m));
  });
  return off.length === 0 ? [] : [`${what}: ${JSON.stringify(ours)}, observed ${JSON.stringify(theirs)}`];
}
