import type { AccessCondition, AccessConditions, AccessRule } from '../../model/authorization.js';
import { NAMESPACE } from '../../model/names.js';
import {
  objectName,
  type PeerAuthenticationPolicy,
  type PortAccess,
  type PortRule,
  type RateLimitPolicy,
  ROOT_NAMESPACE,
} from '../../model/policies.js';
import type { MtlsMode } from '../../model/sidecar-config.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import type {
  IntentionSource,
  Mesh,
  Permission,
  ProxyDefaults,
  ServiceDefaults,
  ServiceIntentions,
} from './defaults.js';
import { destinationOf } from './destination.js';
import { matchOf } from './routes.js';
import { type Issuers, issuersOf, tokensOf } from './tokens.js';

/** Who may call whom, whether plaintext is heard, and limits of instances. */

interface OwnedSource {
  readonly source: IntentionSource;
  readonly owner: Resource<ServiceIntentions>;
  readonly index: number;
}

/**
 * Intentions about one destination as one ordered list. Precedence: both named (9), the destination named (8), the source
 * named (6), neither (5); the first that is about a caller decides alone.
 */
export function intentionsOf(resources: readonly Resource[]): PortAccess[] {
  const all = ofKind<ServiceIntentions>(resources, 'consul', 'ServiceIntentions');
  const issuers = issuersOf(resources);
  const mode = modesOf(resources);
  const wide = sourcesFor('*', all);
  // Where all are meant, who says of itself whether it hears plaintext needs rules of its own.
  const modes = wide.length === 0 ? [] : mode.named;
  return [...new Set([...all.map(destinationOf), ...modes])].flatMap((name) => {
    const own = sourcesFor(name, all);
    const sorted = [...byPrecedence(own), ...(name === '*' ? [] : byPrecedence(wide))];
    const owner = (own[0] ?? wide[0])?.owner;
    if (owner === undefined) return [];
    return [
      {
        object: { ...owner, namespace: namespaceOf(owner) },
        selector: name === '*' ? null : { app: name },
        port: null,
        precedence: name === '*' ? 1 : 2,
        created: owner.created,
        rules: [
          ...(mode.of(name) === 'permissive' ? [plaintext(owner)] : []),
          ...sorted.flatMap((one) => rulesOf(one, issuers)),
        ],
      },
    ];
  });
}

/** What is said of a destination; callers from somewhere else are nobody here. */
function sourcesFor(name: string, all: readonly Resource<ServiceIntentions>[]): OwnedSource[] {
  return all
    .filter((one) => destinationOf(one) === name)
    .flatMap((owner) => (owner.spec.sources ?? []).map((source, index) => ({ source, owner, index })))
    .filter(
      ({ source: { peer, partition, samenessGroup } }) =>
        peer === undefined && partition === undefined && samenessGroup === undefined,
    );
}

/** A destination is found in every namespace, unless one is named. */
function namespaceOf({ spec }: Resource<ServiceIntentions>): string {
  const { namespace = '*' } = spec.destination ?? {};
  return namespace === '*' ? ROOT_NAMESPACE : namespace;
}

function byPrecedence(sources: readonly OwnedSource[]): OwnedSource[] {
  return sources.toSorted((a, b) => Number(a.source.name === '*') - Number(b.source.name === '*'));
}

/** One rule, or one for each permission in their order and behind them the default, which lets in. */
function rulesOf({ source, owner, index }: OwnedSource, issuers: Issuers): PortRule[] {
  const { name, namespace = '*', permissions = [] } = source;
  const rule = (more: Partial<AccessRule>): PortRule => ({
    action: 'deny',
    enforced: true,
    name: `${objectName(owner)}#${index + 1}`,
    object: objectName(owner),
    rule: index,
    source: sourceOf(owner.spec.sources ?? owner.spec, index),
    from: [],
    to: [],
    when: [],
    ...(name === '*' && namespace === '*' ? {} : { caller: { service: name, namespace } }),
    ...more,
  });
  const token = tokensOf(owner.spec.jwt, issuers);
  if (permissions.length === 0) return withToken(rule, { action: source.action ?? 'deny' }, token);
  return [
    // Where requests are asked about, a connection that is none is kept out.
    rule({ when: [NO_REQUEST] }),
    ...permissions.flatMap((permission, i) => {
      const about = { action: permission.action, source: sourceOf(permissions, i), when: conditionsOf(permission) };
      return withToken(rule, about, bothOf(token, tokensOf(permission.jwt, issuers)));
    }),
    ...withToken(rule, { action: 'allow' }, token),
  ];
}

const NO_REQUEST: AccessCondition = {
  subject: { kind: 'method' },
  values: [{ kind: 'present', value: '' }],
  not: true,
  text: 'no request',
};

type About = Pick<AccessRule, 'action'> & Partial<AccessRule>;

/** A rule for those with one of the tokens; what it is about is decided for all others too, the other way. */
function withToken(rule: (more: About) => PortRule, about: About, tokens: readonly AccessConditions[]): PortRule[] {
  if (tokens.length === 0) return [rule(about)];
  return [rule({ ...about, to: tokens }), rule({ ...about, action: about.action === 'allow' ? 'deny' : 'allow' })];
}

function bothOf(some: readonly AccessConditions[], others: readonly AccessConditions[]): readonly AccessConditions[] {
  if (some.length === 0 || others.length === 0) return [...some, ...others];
  return some.flatMap((one) => others.map((other) => [...one, ...other]));
}

function conditionsOf({ http }: Permission): AccessConditions {
  if (http === undefined) return [];
  const match = matchOf(http);
  return [
    {
      subject: { kind: 'route', matches: [match], before: [] },
      values: [{ kind: 'present', value: '' }],
      not: false,
      text: Object.entries(http)
        .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(', '),
    },
  ];
}

/** In permissive mode nobody asks who calls in plaintext. */
function plaintext(object: Resource): AccessRule {
  const unknown: AccessCondition = {
    subject: { kind: 'principal' },
    values: [{ kind: 'present', value: '' }],
    not: true,
    text: 'no identity: mutual TLS is permissive',
  };
  return {
    action: 'allow',
    enforced: true,
    name: `${objectName(object)}#permissive`,
    object: objectName(object),
    rule: 0,
    source: object.source,
    from: [[unknown]],
    to: [],
    when: [],
  };
}

interface Modes {
  /** Services that have a word of their own. */
  readonly named: readonly string[];
  /** A service's own word, else that of all. */
  readonly of: (service: string) => MtlsMode | undefined;
}

function modesOf(resources: readonly Resource[]): Modes {
  const own = ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults').flatMap(({ name, spec }) =>
    spec.mutualTLSMode === undefined ? [] : [[name, spec.mutualTLSMode] as const],
  );
  const modes = new Map(own.toReversed());
  const all = ofKind<ProxyDefaults>(resources, 'consul', 'ProxyDefaults')[0]?.spec.mutualTLSMode;
  return { named: [...modes.keys()], of: (service) => modes.get(service) ?? all };
}

export function consulMtlsOf(resources: readonly Resource[]): PeerAuthenticationPolicy[] {
  const policy = (object: Resource, mode: MtlsMode | undefined): PeerAuthenticationPolicy[] =>
    mode === undefined
      ? []
      : [
          {
            object: { ...object, namespace: object.kind === 'ProxyDefaults' ? ROOT_NAMESPACE : NAMESPACE },
            selector: object.kind === 'ProxyDefaults' ? null : { app: object.name },
            ...(object.kind === 'ProxyDefaults' ? {} : { everywhere: true as const }),
            created: object.created,
            mode,
            ports: {},
          },
        ];
  return ['ServiceDefaults', 'ProxyDefaults'].flatMap((kind) =>
    ofKind<ServiceDefaults | ProxyDefaults>(resources, 'consul', kind).flatMap((one) =>
      policy(one, one.spec.mutualTLSMode),
    ),
  );
}

/** `meshDestinationsOnly` keeps calls in the mesh. */
export function consulEgressOf(resources: readonly Resource[]) {
  return ofKind<Mesh>(resources, 'consul', 'Mesh')
    .filter(({ spec }) => spec.transparentProxy?.meshDestinationsOnly === true)
    .map((object) => ({
      object: { ...object, namespace: ROOT_NAMESPACE },
      callers: null,
      created: object.created,
      hosts: null,
      unknownHosts: 'registry-only' as const,
    }));
}

/** Whether apps are not to know who calls (consul `agent/xds`, SANITIZE in place of APPEND_FORWARD). */
export function hidesCallers(resources: readonly Resource[]): boolean {
  const [mesh] = ofKind<Mesh>(resources, 'consul', 'Mesh');
  return mesh?.spec.http?.sanitizeXForwardedClientCert === true;
}

/** A route's own limit holds in place of that of the whole; the first that is met, alone. */
export function consulRateLimitsOf(resources: readonly Resource[]): RateLimitPolicy[] {
  return ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults').flatMap((object) => {
    const level = object.spec.rateLimits?.instanceLevel;
    if (level === undefined) return [];
    const { routes = [], ...whole } = level;
    const limits = [...routes.map((route) => ({ ...route, match: matchOf(route) })), { ...whole, match: null }];
    return limits.flatMap(({ requestsPerSecond = 0, requestsMaxBurst = 0, match }, i) =>
      requestsPerSecond === 0
        ? []
        : [
            {
              object,
              target: { kind: 'name' as const, name: object.name },
              limit: {
                name: `${objectName(object)}#${i + 1}`,
                match,
                except: limits.slice(0, i).flatMap((before) => before.match ?? []),
                per: 'workload' as const,
                overrides: {},
                burst: requestsMaxBurst === 0 ? requestsPerSecond : requestsMaxBurst,
                tokens: requestsPerSecond,
                perMs: 1_000,
              },
            },
          ],
    );
  });
}
