import { isDeepStrictEqual } from 'node:util';
import type { Chance } from '../support/chance.js';
import { type Case, type Draw, KINDS } from './cases.js';
import { type Ask, type Backends, type Seen, type Side, type Stage, startStage } from './stage.js';

/** Cases that stand in one configuration: an Envoy is started for each such lot. */
const LOT = 60;

export interface Difference {
  readonly kind: string;
  readonly case: Case;
  readonly ask: Ask | null;
  readonly ours: unknown;
  readonly envoy: unknown;
  /** Why it may stand; '' = it may not. */
  readonly reason: string;
}

export interface Outcome {
  /** Comparisons that were made, by kind. */
  readonly compared: Readonly<Record<string, number>>;
  readonly differences: readonly Difference[];
}

/** Draws cases until so many comparisons were made, and tells where the two proxies differ. */
export async function compare(envoy: string, backends: Backends, chance: Chance, requests: number): Promise<Outcome> {
  const compared: Record<string, number> = {};
  const differences: Difference[] = [];
  let n = 0;
  let done = 0;
  while (done < requests) {
    const lot: Case[] = [];
    let asked = 0;
    while (lot.length < LOT && done + asked < requests) {
      const drawn = drawCase({ chance, n: n++, ports: backends.ports });
      lot.push(drawn);
      asked += comparisons(drawn);
    }
    const stage = await startStage(
      envoy,
      backends,
      lot.flatMap(({ virtualHosts }) => virtualHosts),
      lot.flatMap(({ clusters }) => clusters),
    );
    try {
      for (const one of lot) {
        differences.push(...(await compareCase(stage, one)));
        compared[one.kind] = (compared[one.kind] ?? 0) + comparisons(one);
      }
    } finally {
      await stage.close();
    }
    done += asked;
  }
  return { compared, differences };
}

/** Cases that are compared by their counts are one comparison, however often they ask. */
function comparisons({ compare: how, asks }: Case): number {
  return how === 'each' || how === 'hosts-of-hash' ? asks.length : 1;
}

function drawCase(draw: Draw): Case {
  let point = draw.chance.below(KINDS.reduce((sum, [, share]) => sum + share, 0));
  for (const [make, share] of KINDS) {
    point -= share;
    if (point < 0) return make(draw);
  }
  throw new Error('shares do not add up');
}

async function compareCase(stage: Stage, one: Case): Promise<Difference[]> {
  const [ours, envoy] = await Promise.all([askAll(stage, 'ours', one), askAll(stage, 'envoy', one)]);
  const differ = (ask: Ask | null, a: unknown, b: unknown): Difference[] =>
    isDeepStrictEqual(a, b)
      ? []
      : [{ kind: one.kind, case: one, ask, ours: a, envoy: b, reason: reasonFor(ask, a, b) }];
  switch (one.compare) {
    case 'each':
      return one.asks.flatMap((ask, i) => differ(ask, comparable(ours[i] as Seen), comparable(envoy[i] as Seen)));
    case 'hosts-of-hash':
      return one.asks.flatMap((ask, i) => differ(ask, ours[i]?.from, envoy[i]?.from));
    case 'counts':
      return differ(null, counts(ours), counts(envoy));
    case 'shares':
      return shareDifferences(one, ours).concat(shareDifferences(one, envoy));
  }
}

async function askAll(stage: Stage, side: Side, { asks, concurrent, pausesMs = [] }: Case): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const [i, ask] of (concurrent ? asks.slice(0, 1) : asks).entries()) {
    seen.push(await stage.ask(side, ask));
    const pauseMs = pausesMs[i % pausesMs.length] ?? 0;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  if (!concurrent) return seen;
  return [...seen, ...(await Promise.all(asks.slice(1).map((ask) => stage.ask(side, ask))))];
}

/** Copies arrive in any order. Texts of the proxies' own failures are not compared, those of routes and faults are. */
function comparable(seen: Seen): unknown {
  const hits = [...seen.hits].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  const own = seen.status === 400 || /^upstream |^no healthy/.test(seen.body) ? '' : seen.body;
  return { ...seen, body: own, hits };
}

function counts(all: readonly Seen[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { status, from, hits } of all) {
    const what = `${status} ${from === '' ? 'proxy' : 'app'} ${hits.length}`;
    count[what] = (count[what] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(count).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Each side's shares against the weights, within 4.5 standard deviations. */
function shareDifferences(one: Case, seen: readonly Seen[]): Difference[] {
  const action = one.virtualHosts[0]?.routes[0]?.action;
  if (action?.kind !== 'forward') return [];
  const total = action.clusters.reduce((sum, { weight }) => sum + weight, 0);
  return action.clusters.flatMap(({ cluster, weight }) => {
    const workload = one.clusters.find(({ name }) => name === cluster)?.endpoints[0]?.workload;
    const share = weight / total;
    const count = seen.filter(({ from }) => from === workload).length;
    const bound = 4.5 * Math.sqrt(seen.length * share * (1 - share)) + 1;
    if (Math.abs(count - seen.length * share) <= bound) return [];
    return [{ kind: 'shares', case: one, ask: null, ours: { workload, count }, envoy: { share }, reason: '' }];
  });
}

/** Differences that stand. DIFFERENCES.md has the same table, with more words. */
const REASONS: readonly (readonly [reason: string, applies: (ask: Ask, ours: Seen, envoy: Seen) => boolean])[] = [
  ['host names are forwarded in lower case', ({ host }) => host !== host.toLowerCase()],
  [
    'a path with a broken escape is refused',
    ({ target }, ours) => ours.status === 400 && /%(?![0-9a-f]{2})/i.test(pathOf(target)),
  ],
  ['a path that leaves the root is refused', ({ target }, ours) => ours.status === 400 && leavesRoot(pathOf(target))],
  ['..; and .; are names, not dot segments', ({ target }) => /(?:^|\/)\.\.?;/.test(pathOf(target))],
  ['escapes are written in upper case', ({ target }) => /%[0-9a-f]*[a-f]/.test(pathOf(target))],
  [
    'a rewritten path begins with a slash',
    (_, ours, envoy) => onlyHits(ours).startsWith('/') && envoy.hits.length === 0 && envoy.status === 400,
  ],
  [
    'slashes are merged behind dot segments too',
    ({ target }) => pathOf(target) === '//' || (/\/\/|%2f|%5c/i.test(pathOf(target)) && /\.|%2e/i.test(pathOf(target))),
  ],
];

function onlyHits(seen: Seen): string {
  return seen.hits.map(({ target }) => target).join(' ');
}

function reasonFor(ask: Ask | null, ours: unknown, envoy: unknown): string {
  if (ask === null || typeof ours !== 'object') return '';
  return REASONS.find(([, applies]) => applies(ask, ours as Seen, envoy as Seen))?.[0] ?? '';
}

function pathOf(target: string): string {
  return target.split('?')[0] as string;
}

function leavesRoot(path: string): boolean {
  let depth = 0;
  for (const segment of path
    .replace(/%2e/gi, '.')
    .replace(/%2f|%5c/gi, '/')
    .split('/')) {
    if (segment === '..') depth--;
    else if (segment !== '' && segment !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
