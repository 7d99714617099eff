import { type ServiceSpec, selects, type WorkloadSpec } from '../model/app.js';
import { hostMatches } from '../model/host-match.js';
import type { ReadyEndpoint } from '../model/mesh-config.js';

/*
 * Look-ups over lists that do not change while a snapshot is compiled, made once per list: a mesh of a thousand services
 * must not cost a million comparisons.
 */

const byLabel = new WeakMap<readonly WorkloadSpec[], ReadonlyMap<string, readonly WorkloadSpec[]>>();

/** The workloads that a service stands for. */
export function membersOf(
  { namespace, selector }: Pick<ServiceSpec, 'namespace' | 'selector'>,
  workloads: readonly WorkloadSpec[],
): readonly WorkloadSpec[] {
  const [first] = Object.entries(selector ?? {});
  if (selector === null) return [];
  let index = byLabel.get(workloads);
  if (index === undefined) {
    index = grouped(workloads, ({ labels }) => Object.entries(labels).map(([name, value]) => `${name}=${value}`));
    byLabel.set(workloads, index);
  }
  const likely = first === undefined ? workloads : (index.get(`${first[0]}=${first[1]}`) ?? []);
  return likely.filter((workload) => workload.namespace === namespace && selects(selector, workload.labels));
}

const byWorkload = new WeakMap<readonly ReadyEndpoint[], ReadonlyMap<string, readonly ReadyEndpoint[]>>();

/** The endpoints of a workload that are ready. */
export function readyOf(workload: string, ready: readonly ReadyEndpoint[]): readonly ReadyEndpoint[] {
  let index = byWorkload.get(ready);
  if (index === undefined) {
    index = grouped(ready, (endpoint) => [endpoint.workload]);
    byWorkload.set(ready, index);
  }
  return index.get(workload) ?? [];
}

interface Hosted<T> {
  readonly exact: ReadonlyMap<string, readonly T[]>;
  /** Those with a wildcard. */
  readonly wild: readonly T[];
}

const byHost = new WeakMap<readonly object[], Hosted<object>>();

/** Policies one of whose hosts means a host, in the order of the list. */
export function aboutHost<T extends object>(
  host: string,
  all: readonly T[],
  hostsOf: (policy: T) => readonly string[],
): T[] {
  let index = byHost.get(all) as Hosted<T> | undefined;
  if (index === undefined) {
    index = {
      exact: grouped(all, hostsOf),
      wild: all.filter((policy) => hostsOf(policy).some((one) => one.startsWith('*'))),
    };
    byHost.set(all, index as Hosted<object>);
  }
  const exact = index.exact.get(host) ?? [];
  const wild = index.wild.filter(
    (policy) => !exact.includes(policy) && hostsOf(policy).some((one) => hostMatches(one, host)),
  );
  if (wild.length === 0) return [...exact];
  const found = new Set([...exact, ...wild]);
  return all.filter((policy) => found.has(policy));
}

function grouped<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items)
    for (const key of new Set(keysOf(item))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
  return groups;
}
