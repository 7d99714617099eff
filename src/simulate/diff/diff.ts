import type { AppProtocol } from '../../model/app-protocol.js';
import type { AccessConditions, AccessRule } from '../../model/authorization.js';
import type { Cluster } from '../../model/cluster.js';
import { saysAnything } from '../../model/inbound-route.js';
import type { Route } from '../../model/route.js';
import type {
  InboundConfig,
  OutboundConfig,
  SidecarConfig,
  StreamRoute,
  VirtualHost,
} from '../../model/sidecar-config.js';
import type { SourceRef } from '../../model/source.js';
import { clusterParts, clusterWords, inboundRouteWords, poolWords, routeWords, ruleName } from './words.js';

/** Something that would be other than it is, and for whom. */
export interface Difference {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Workloads whose sidecars would obey it. */
  readonly who: readonly string[];
  /** `calls to reviews:9080`, `connections to reviews:9080 v2`, `callers of reviews-v1` */
  readonly about: string;
  /** What, in words; for what changed, from what to what. */
  readonly text: string;
  /** The rule that says so; null = none does. */
  readonly source: SourceRef | null;
}

type Change = Omit<Difference, 'who'>;

/**
 * What becomes other between two sets of configurations, by workload, in words. What is the same for several workloads is
 * told once, for all of them. Pure.
 */
export function differencesOf(
  before: ReadonlyMap<string, SidecarConfig>,
  after: ReadonlyMap<string, SidecarConfig>,
): Difference[] {
  const told = new Map<string, Difference & { who: string[] }>();
  const outbound = new Map<OutboundConfig, readonly Change[]>();
  for (const [workload, config] of after) {
    const was = before.get(workload);
    if (was === undefined) continue;
    // Callers that are told the same share it as the same object.
    const ofCalls = outbound.get(config.outbound) ?? outboundChanges(was.outbound, config.outbound);
    outbound.set(config.outbound, ofCalls);
    for (const change of [...ofCalls, ...inboundChanges(was, config)]) {
      const key = JSON.stringify([change.kind, change.about, change.text]);
      const known = told.get(key) ?? { ...change, who: [] };
      known.who.push(workload);
      told.set(key, known);
    }
  }
  return [...told.values()];
}

function outboundChanges(before: OutboundConfig, after: OutboundConfig): Change[] {
  const unknown = {
    'allow-any': 'they leave the mesh as they are',
    'registry-only': 'they are answered 502',
    denied: 'they are answered 403',
  };
  const policy: Change[] =
    before.unknownHosts === after.unknownHosts
      ? []
      : [changed('calls to hosts that nobody declared', unknown[before.unknownHosts], unknown[after.unknownHosts])];
  return [
    ...pairsOf(before.virtualHosts, after.virtualHosts, hostWords)
      .filter(([about, , b]) => b !== undefined || !isCalled(about, after))
      .flatMap(([about, a, b]) => hostChanges(about, a, b)),
    ...pairsOf(before.clusters, after.clusters, ({ name }) => clusterWords(name)).flatMap(([about, a, b]) =>
      clusterChanges(about, a, b),
    ),
    ...streamChanges(before, after),
    ...policy,
  ];
}

function streamChanges(before: OutboundConfig, after: OutboundConfig): Change[] {
  return pairsOf(before.listeners, after.listeners, ({ service, port }) => `${service}:${port}`).flatMap(
    ([about, a, b]) => {
      const [was, is] = [streamsWords(a?.streams), streamsWords(b?.streams)];
      return [
        ...spokenChanges(`calls to ${about}`, a, b),
        ...(was === is ? [] : [changed(`connections to ${about}`, was, is)]),
      ];
    },
  );
}

const SPOKEN: Readonly<Record<AppProtocol, string>> = {
  http: 'are requests',
  tcp: 'are connections, which are not looked into',
  auto: 'are what is seen in them',
};

type Speaking = { readonly protocol: AppProtocol } | undefined;

function spokenChanges(about: string, before: Speaking, after: Speaking): Change[] {
  if (before === undefined || after === undefined || before.protocol === after.protocol) return [];
  return [changed(about, SPOKEN[before.protocol], SPOKEN[after.protocol])];
}

/** Whether a host that has no routes is there all the same, since it has connections only. */
function isCalled(host: string, { listeners }: OutboundConfig): boolean {
  return listeners.some(({ service, port, protocol }) => protocol === 'tcp' && `${service}:${port}` === host);
}

function streamsWords(streams: readonly StreamRoute[] = []): string {
  return streams.length === 0 ? 'to all of it' : streams.map(streamWords).join('; ');
}

function streamWords({ sni, clusters }: StreamRoute): string {
  const shares = clusters.map(({ cluster, weight }) => `${weight} to ${clusterWords(cluster)}`).join(', ');
  return sni === undefined ? shares : `TLS for ${sni.join(', ')}: ${shares}`;
}

function hostWords({ name, port }: VirtualHost): string {
  return `${name}:${port}`;
}

function hostChanges(about: string, before: VirtualHost | undefined, after: VirtualHost | undefined): Change[] {
  const calls = `calls to ${about}`;
  if (after === undefined)
    return [{ kind: 'removed', about: calls, text: 'the host is not known any more', source: null }];
  const [was, is] = [wordsOf(before?.routes ?? []), wordsOf(after.routes)];
  const gone = [...was].filter(([words]) => !is.has(words));
  const come = [...is].filter(([words]) => !was.has(words));
  const told = (kind: Change['kind'], [words, route]: readonly [string, Route]): Change => ({
    kind,
    about: calls,
    text: `${ruleName(route)}: ${words}`,
    source: route.origin?.source ?? null,
  });
  const order = gone.length + come.length === 0 && [...was.keys()].join('\n') !== [...is.keys()].join('\n');
  return [
    ...gone.map((entry) => told('removed', entry)),
    ...come.map((entry) => told('added', entry)),
    ...(order ? [changed(calls, 'asked in another order', [...is.values()].map(ruleName).join(', then '))] : []),
  ];
}

/** Of several that do the same to the same requests only the first is ever met. */
function wordsOf(routes: readonly Route[]): ReadonlyMap<string, Route> {
  const words = new Map<string, Route>();
  for (const route of routes) {
    const text = routeWords(route);
    if (!words.has(text)) words.set(text, route);
  }
  return words;
}

function clusterChanges(name: string, before: Cluster | undefined, after: Cluster | undefined): Change[] {
  const about = `connections to ${name}`;
  if (after === undefined) return [{ kind: 'removed', about, text: 'this destination is gone', source: null }];
  const parts = clusterParts(after);
  if (before === undefined) {
    const who = parts.get('endpoints') ?? '';
    return [{ kind: 'added', about, text: `a destination of its own (${who})`, source: null }];
  }
  const was = clusterParts(before);
  return [...parts]
    .filter(([part, words]) => was.get(part) !== words)
    .map(([part, words]) => changed(about, `${part}: ${was.get(part)}`, words));
}

const MTLS = {
  strict: 'over mutual TLS only',
  permissive: 'over mutual TLS and in plaintext',
  disable: 'in plaintext',
} as const;

function inboundChanges(before: SidecarConfig, after: SidecarConfig): Change[] {
  const about = `callers of ${after.workload.name}`;
  const [was, is] = [before.inbound, after.inbound];
  const mtls = was.mtls === is.mtls ? [] : [changed(about, `heard ${MTLS[was.mtls]}`, MTLS[is.mtls])];
  const ports = Object.keys({ ...was.portMtls, ...is.portMtls }).flatMap((port) => {
    const [a, b] = [modeOn(was, Number(port)), modeOn(is, Number(port))];
    return a === b || (a === was.mtls && b === is.mtls)
      ? []
      : [changed(about, `on port ${port} heard ${MTLS[a]}`, MTLS[b])];
  });
  const named = (kind: Change['kind'], word: string, names: readonly string[]): Change[] =>
    names.map((name) => ({ kind, about, text: `${word} ${name}`, source: null }));
  const [kept, held] = [accessWords(was), accessWords(is)];
  const access: Change[] = [
    ...[...kept].filter(([words]) => !held.has(words)).map((entry) => accessChange('removed', about, entry)),
    ...[...held].filter(([words]) => !kept.has(words)).map((entry) => accessChange('added', about, entry)),
  ];
  const [faults, limits] = [
    listsOf(was.faults.map(textOf), is.faults.map(textOf)),
    listsOf(was.rateLimits.map(textOf), is.rateLimits.map(textOf)),
  ];
  const spoken = pairsOf(was.ports, is.ports, ({ port }) => `${port}`).flatMap(([port, a, b]) =>
    spokenChanges(`${about} on port ${port}`, a, b),
  );
  const told = (hidden: boolean | undefined): string => (hidden === true ? 'kept from the app' : 'told to the app');
  const hidden =
    was.hidesCaller === is.hidesCaller ? [] : [changed(about, `are ${told(was.hidesCaller)}`, told(is.hidesCaller))];
  return [
    ...mtls,
    ...ports,
    ...poolChanges(about, was, is),
    ...spoken,
    ...hidden,
    ...access,
    ...named('removed', 'the fault', faults.gone),
    ...named('added', 'the fault', faults.come),
    ...named('removed', 'the limit', limits.gone),
    ...named('added', 'the limit', limits.come),
  ];
}

/** How much the app is asked for at once. */
function poolChanges(about: string, was: InboundConfig, is: InboundConfig): Change[] {
  return Object.keys({ ...was.pools, ...is.pools }).flatMap((port) => {
    const [before, after] = [poolWords(was.pools?.[Number(port)]), poolWords(is.pools?.[Number(port)])];
    return before === after ? [] : [changed(about, `on port ${port} all of them together: ${before}`, after)];
  });
}

/** Who is let in, who is kept out, and what becomes of the former, a sentence each, with where it is said. */
function accessWords({
  authorization,
  tokens = [],
  routes = {},
}: InboundConfig): ReadonlyMap<string, SourceRef | null> {
  const words = new Map<string, SourceRef | null>();
  for (const rule of authorization?.rules ?? []) words.set(ruleWords(rule), rule.source);
  if (authorization !== undefined)
    words.set(`all others: ${authorization.otherwise.action}, ${authorization.otherwise.because}`, null);
  for (const route of Object.values(routes).flat())
    if (saysAnything(route)) words.set(inboundRouteWords(route), route.origin.source);
  for (const { issuer, source, object } of tokens) words.set(`${object}: tokens of ${issuer} are believed`, source);
  return words;
}

function ruleWords({ action, enforced, object, rule, from, to, when }: AccessRule): string {
  const all = (conditions: AccessConditions): string => conditions.map(({ text }) => text).join(' and ');
  const any = (sets: readonly AccessConditions[]): string => sets.map(all).join(', or ');
  const parts = [any(from), any(to), all(when)].filter((part) => part !== '').join('; ');
  const dry = enforced ? '' : ' (dry run: only told)';
  return `rule ${rule + 1} of ${object}${dry}: ${action} ${parts || 'everything'}`;
}

function accessChange(
  kind: Change['kind'],
  about: string,
  [text, source]: readonly [string, SourceRef | null],
): Change {
  return { kind, about, text, source };
}

function modeOn({ mtls, portMtls }: InboundConfig, port: number): InboundConfig['mtls'] {
  return portMtls?.[port] ?? mtls;
}

function textOf({ name, ...rest }: { readonly name: string }): string {
  return `${name} ${JSON.stringify(rest)}`;
}

function listsOf(before: readonly string[], after: readonly string[]): { gone: string[]; come: string[] } {
  const name = (text: string): string => text.split(' {')[0] ?? text;
  return {
    gone: before.filter((text) => !after.includes(text)).map(name),
    come: after.filter((text) => !before.includes(text)).map(name),
  };
}

function changed(about: string, from: string, to: string): Change {
  return { kind: 'changed', about, text: `${from} → ${to}`, source: null };
}

/** What two lists hold under one name. */
function pairsOf<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
): (readonly [string, T | undefined, T | undefined])[] {
  const [was, is] = [before, after].map((items) => new Map(items.map((item) => [nameOf(item), item])));
  const names = new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]);
  return [...names].map((name) => [name, was?.get(name), is?.get(name)] as const);
}
