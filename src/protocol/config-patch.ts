import type { Cluster } from '../model/cluster.js';
import type { OutboundConfig, OutboundListener, SidecarConfig, VirtualHost } from '../model/sidecar-config.js';
import { saysTheSame, textOf } from './config-text.js';

/** What is other than in a list before: `order` = the keys of all of it, null where they are the same in the same order. */
export interface ListPatch<T> {
  readonly order: readonly string[] | null;
  readonly changed: readonly T[];
}

type OutboundRest = Omit<OutboundConfig, 'virtualHosts' | 'clusters' | 'listeners'>;

export interface OutboundPatch {
  readonly rest: OutboundRest;
  readonly listeners: readonly OutboundListener[] | null;
  readonly virtualHosts: ListPatch<VirtualHost>;
  readonly clusters: ListPatch<Cluster>;
}

/** A configuration by what makes it another one than the last that was sent. One changed rule is a few hundred bytes. */
export interface ConfigPatch {
  /** Version of the configuration that it changes. */
  readonly base: number;
  readonly version: number;
  /** All but what is outbound; null = the same. */
  readonly rest: Omit<SidecarConfig, 'outbound' | 'version'> | null;
  readonly outbound: OutboundPatch;
}

const hostKey = ({ name, port, domains }: VirtualHost): string => `${name}:${port}:${domains[0] ?? ''}`;
const clusterKey = ({ name }: Cluster): string => name;

const made = new WeakMap<OutboundConfig, { readonly before: OutboundConfig; readonly patch: OutboundPatch }>();

/** What makes `after` of `before`. Callers that are told the same share its outbound part, as the same object. */
export function patchOf(before: SidecarConfig, after: SidecarConfig): ConfigPatch {
  const { outbound: from, version: base } = before;
  const { outbound: to, version, ...rest } = after;
  let known = made.get(to);
  if (known === undefined || known.before !== from) {
    known = { before: from, patch: outboundPatch(from, to) };
    made.set(to, known);
  }
  const same = saysTheSame({ ...before, outbound: to }, after);
  return { base, version, rest: same ? null : rest, outbound: known.patch };
}

function outboundPatch(before: OutboundConfig, after: OutboundConfig): OutboundPatch {
  const { virtualHosts, clusters, listeners, ...rest } = after;
  return {
    rest,
    listeners: JSON.stringify(before.listeners) === JSON.stringify(listeners) ? null : listeners,
    virtualHosts: listPatch(before.virtualHosts, virtualHosts, hostKey),
    clusters: listPatch(before.clusters, clusters, clusterKey),
  };
}

function listPatch<T extends object>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
): ListPatch<T> {
  const known = new Map(before.map((item) => [keyOf(item), item]));
  const keys = after.map(keyOf);
  // Names that two have tell none apart: then all of it is sent.
  if (new Set(keys).size < keys.length || known.size < before.length) return { order: keys, changed: after };
  const changed = after.filter((item, i) => {
    const was = known.get(keys[i] as string);
    return was === undefined || (was !== item && textOf(was) !== textOf(item));
  });
  const same = before.length === after.length && before.every((item, i) => keyOf(item) === keys[i]);
  return { order: same ? null : keys, changed };
}

/** The configuration that a patch makes of the one before; what did not change are the same objects. */
export function patched(before: SidecarConfig, { version, rest, outbound }: ConfigPatch): SidecarConfig {
  return {
    ...before,
    ...rest,
    version,
    outbound: {
      ...outbound.rest,
      listeners: outbound.listeners ?? before.outbound.listeners,
      virtualHosts: patchedList(before.outbound.virtualHosts, outbound.virtualHosts, hostKey),
      clusters: patchedList(before.outbound.clusters, outbound.clusters, clusterKey),
    },
  };
}

function patchedList<T>(
  before: readonly T[],
  { order, changed }: ListPatch<T>,
  keyOf: (item: T) => string,
): readonly T[] {
  if (order === null && changed.length === 0) return before;
  if (order !== null && changed.length === order.length) return changed;
  const items = new Map([...before, ...changed].map((item) => [keyOf(item), item]));
  return (order ?? before.map(keyOf)).map((key) => {
    const item = items.get(key);
    if (item === undefined) throw new Error(`the patch names ${key}, which nobody sent`);
    return item;
  });
}
