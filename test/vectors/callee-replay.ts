import type { Exchange } from '../../src/model/exchange.js';
import { until } from '../support/until.js';
import type { CalleeBed, Hit, Outcome } from './callee-bed.js';
import type { CalleeCase, CalleeRequest, ObservedHit } from './callee-case.js';

type Fields = readonly (readonly [name: string, value: string])[];

/**
 * Plays a case and tells where what happened differs from what was observed on Istio, request by request. What is not
 * compared: texts of details other than those of authorization and tokens, the letters of Host (ours are lower-case on the
 * way), and fields that each sidecar writes for itself.
 */
export async function replay(bed: CalleeBed, one: CalleeCase): Promise<string[]> {
  const refused = await bed.lay(one);
  if (refused !== '') return [refused];
  const start = Date.now();
  const differences: string[] = [];
  for (const [i, request] of one.requests.entries()) {
    const outcome = await bed.ask(one, request);
    for (const text of compared(request, outcome)) differences.push(`request ${i + 1}: ${text}`);
  }
  return differences.length > 0 ? differences : await comparedRecords(bed, one, start);
}

function compared(request: CalleeRequest, outcome: Outcome): string[] {
  const { observed } = request;
  const fromApp = outcome.headers.find(([name]) => name === 'x-from-app')?.[1] ?? null;
  const pairs: (readonly [what: string, ours: unknown, theirs: unknown])[] = [
    ['status', outcome.status, observed.status],
    ['error', outcome.error, observed.error ?? null],
    ['from_app', fromApp, observed.from_app ?? null],
    ['hits', outcome.hits.length, observed.hits.length],
  ];
  if (isPolicy(observed.details)) {
    pairs.push(['body', outcome.body, observed.body ?? '']);
    pairs.push(['headers', sorted(ownHeaders(outcome.headers)), sorted(observed.headers ?? {})]);
  }
  for (const [i, hit] of outcome.hits.entries()) {
    const theirs = observed.hits[i];
    if (theirs !== undefined) pairs.push(...comparedHit(hit, theirs, outcome.sent, request.see ?? []));
  }
  return pairs
    .filter(([, ours, theirs]) => JSON.stringify(ours) !== JSON.stringify(theirs))
    .map(([what, ours, theirs]) => `${what} ${JSON.stringify(ours)} instead of ${JSON.stringify(theirs)}`);
}

function isPolicy(details: string | null): boolean {
  return details !== null && /^(rbac|jwt)_/.test(details);
}

/** Answers' fields that stand for nothing here. */
const PLAIN_ANSWER = new Set(['server', 'date', 'content-type', 'content-length', 'connection', 'keep-alive']);

function ownHeaders(headers: Fields): Record<string, string[]> {
  return grouped(headers.filter(([name]) => !PLAIN_ANSWER.has(name)));
}

function comparedHit(hit: Hit, theirs: ObservedHit, sent: Fields, see: readonly string[]) {
  const before = grouped(sent);
  const after = grouped(hit.fields);
  const set = Object.fromEntries(
    Object.entries(after).filter(
      ([name, values]) => !OWN_FIELDS.test(name) && JSON.stringify(values) !== JSON.stringify(before[name]),
    ),
  );
  const removed = Object.keys(before).filter((name) => !OWN_FIELDS.test(name) && after[name] === undefined);
  return [
    ['pod', hit.pod, theirs.pod],
    ['method', hit.method, theirs.method],
    ['path', hit.path, theirs.path],
    ['host', after['host']?.[0], theirs.host.toLowerCase()],
    ['headers_set', sorted(set), sorted(theirs.headers_set ?? {})],
    ['headers_removed', removed.sort(), [...(theirs.headers_removed ?? [])].sort()],
    ['seen', Object.fromEntries(see.map((name) => [name, seen(after[name], theirs.seen?.[name])])), theirs.seen ?? {}],
  ] as const;
}

/** What each sidecar writes for itself, and what frames a message. */
const OWN_FIELDS =
  /^(host|connection|transfer-encoding|content-length|x-request-id|x-forwarded-proto|traceparent|tracestate|x-case-id)$/;

function grouped(fields: Fields): Record<string, string[]> {
  const groups: Record<string, string[]> = Object.create(null);
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    groups[key] = [...(groups[key] ?? []), masked(value)];
  }
  return groups;
}

/** What differs from run to run. */
function masked(value: string): string {
  return value
    .replace(/Hash=[0-9a-f]{64}/g, 'Hash=<sha256>')
    .replace(/eyJ[\w-]*\.[\w-]+\.[\w-]*/g, '<jwt>')
    .replace(/^eyJ[\w-]+$/, '<jwt-payload>');
}

function sorted(values: Readonly<Record<string, readonly string[]>>): [string, readonly string[]][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}

function seen(ours: readonly string[] | undefined, theirs: readonly string[] | null | undefined) {
  if (ours === undefined) return null;
  if (theirs?.[0] === '<uuid>' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(ours[0] ?? '')) return theirs;
  return ours;
}

/** Which rule kept each request out, as the callee's sidecar recorded it. */
async function comparedRecords(bed: CalleeBed, one: CalleeCase, start: number): Promise<string[]> {
  const wanted = one.requests.flatMap(({ observed }) =>
    observed.status !== null && isPolicy(observed.details) ? [`${observed.details} ${observed.flags}`] : [],
  );
  if (wanted.length === 0) return [];
  let found: string[] = [];
  const arrived = async (): Promise<boolean> => {
    const records = await bed.mesh.client.call('exchanges', { limit: 500 });
    found = records
      .filter(({ startedAt, kind, details }) => startedAt >= start - 5 && kind === 'http' && isPolicy(details))
      .toSorted((a, b) => numberOf(a) - numberOf(b))
      .map(({ details, flags }) => `${details} ${flags.join(',') || '-'}`);
    return found.length >= wanted.length;
  };
  await until(arrived, 'the records', 5_000).catch(() => {});
  return JSON.stringify(found) === JSON.stringify(wanted)
    ? []
    : [`recorded ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`];
}

function numberOf({ id }: Exchange): number {
  return Number(id.split('-').at(-1));
}
