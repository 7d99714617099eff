import type { EndpointState } from '../pipeline/cluster.js';

/** Envoy's over-provisioning factor: a level counts as whole until less than 1/1.4 of its endpoints are healthy. */
const OVERPROVISIONING = 1.4;

/** Endpoints that are asked together, and their share of the requests (0-1; all shares add up to 1). */
export interface Group {
  readonly share: number;
  readonly endpoints: readonly EndpointState[];
}

/**
 * Who may be asked, as priorities, localities and health have it. Shares flow from one priority to the next as its
 * endpoints fail; within a priority localities have theirs (Envoy, `load_balancing/priority`, `/locality_weight`,
 * `/panic_threshold`). With `lastResort` a priority counts as whole while anyone of it is left. Empty = nobody.
 */
export function groupsOf(
  endpoints: readonly EndpointState[],
  panicPercent: number,
  localityWeights: Readonly<Record<string, number>> | null,
  lastResort = false,
): Group[] {
  const levels = levelsOf(endpoints);
  const health = levels.map((level) => {
    const share = shareAvailable(level);
    return lastResort ? Math.ceil(share) : Math.min(1, OVERPROVISIONING * share);
  });
  const whole = Math.min(
    1,
    health.reduce((sum, part) => sum + part, 0),
  );
  const panics = levels.map((level) => whole < 1 && shareAvailable(level) * 100 < panicPercent);
  const shares = whole === 0 ? panicShares(levels, panics) : sharesOf(health, whole);
  return levels.flatMap((level, priority) => {
    const share = shares[priority] as number;
    if (share === 0) return [];
    const asked = panics[priority] === true ? level : level.filter(({ available }) => available);
    if (asked.length === 0) return [];
    return localityWeights === null ? [{ share, endpoints: asked }] : byLocality(level, asked, share, localityWeights);
  });
}

function levelsOf(endpoints: readonly EndpointState[]): EndpointState[][] {
  const levels = new Map<number, EndpointState[]>();
  for (const endpoint of endpoints) {
    const { priority } = endpoint.config;
    const level = levels.get(priority);
    if (level === undefined) levels.set(priority, [endpoint]);
    else level.push(endpoint);
  }
  return [...levels].sort(([a], [b]) => a - b).map(([, level]) => level);
}

function shareAvailable(level: readonly EndpointState[]): number {
  return level.filter(({ available }) => available).length / level.length;
}

/** Each level takes what its health allows, the first ones first. */
function sharesOf(health: readonly number[], whole: number): number[] {
  let left = 1;
  return health.map((part) => {
    const share = Math.min(left, part / whole);
    left -= share;
    return share;
  });
}

/** Nobody is healthy: levels that panic share by their size. */
function panicShares(levels: readonly EndpointState[][], panics: readonly boolean[]): number[] {
  const total = levels.reduce((sum, level, i) => sum + (panics[i] === true ? level.length : 0), 0);
  return levels.map((level, i) => (panics[i] === true ? level.length / total : 0));
}

/** A locality keeps its weight as long as enough of its endpoints are healthy. */
function byLocality(
  level: readonly EndpointState[],
  asked: readonly EndpointState[],
  share: number,
  localityWeights: Readonly<Record<string, number>>,
): Group[] {
  const names = [...new Set(asked.map(({ config }) => config.locality))];
  const groups = names.map((name) => {
    const endpoints = asked.filter(({ config }) => config.locality === name);
    const all = level.filter(({ config }) => config.locality === name);
    const weight = (localityWeights[name] ?? 0) * Math.min(1, (OVERPROVISIONING * endpoints.length) / all.length);
    return { weight, endpoints };
  });
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return [];
  return groups
    .filter(({ weight }) => weight > 0)
    .map(({ weight, endpoints }) => ({ share: (share * weight) / total, endpoints }));
}
