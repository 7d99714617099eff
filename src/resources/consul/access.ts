import type { AccessCondition, AccessConditions, AccessRule } from '../../model/authorization.js';
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
import { matchOf } from './routes.js';

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
  const permissive = permissiveOf(resources);
  const sources = (name: string): OwnedSource[] =>
    all
      .filter((one) => destinationOf(one) === name)
      .flatMap((owner) => owner.spec.sources.map((source, index) => ({ source, owner, index })));
  const named = [...new Set(all.map(destinationOf))];
  return named.map((name) => {
    const own = sources(name);
    const wide = name === '*' ? [] : sources('*');
    const sorted = [...byPrecedence(own), ...byPrecedence(wide)];
    const object = own[0]?.owner as Resource<ServiceIntentions>;
    return {
      object,
      selector: name === '*' ? null : { app: name },
      port: null,
      precedence: name === '*' ? 1 : 2,
      created: object.created,
      rules: [...(permissive(name) ? [plaintext(object)] : []), ...sorted.flatMap(rulesOf)],
    };
  });
}

/** A config entry is named after its destination. */
export function destinationOf({ spec, name }: Resource<ServiceIntentions>): string {
  return spec.destination?.name ?? name;
}

function byPrecedence(sources: readonly OwnedSource[]): OwnedSource[] {
  return sources.toSorted((a, b) => Number(a.source.name === '*') - Number(b.source.name === '*'));
}

/** One rule, or one for each permission in their order and behind them the default, which lets in. */
function rulesOf({ source, owner, index }: OwnedSource): PortRule[] {
  const rule = (more: Partial<AccessRule>): PortRule => ({
    action: source.action ?? 'deny',
    enforced: true,
    name: `${objectName(owner)}#${index + 1}`,
    object: objectName(owner),
    rule: index,
    source: sourceOf(owner.spec.sources, index),
    from: [],
    to: [],
    when: [],
    ...(source.name === '*' ? {} : { caller: source.name }),
    ...more,
  });
  if (source.permissions === undefined) return [rule({})];
  const permissions = source.permissions;
  return [
    ...permissions.map((permission, i) =>
      rule({ action: permission.action, to: [conditionsOf(permission)], source: sourceOf(permissions, i) }),
    ),
    rule({ action: 'allow' }),
  ];
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

/** Whether a service hears plaintext, by its own word, else by that of all. */
function permissiveOf(resources: readonly Resource[]): (service: string) => boolean {
  const own = ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults');
  const [all] = ofKind<ProxyDefaults>(resources, 'consul', 'ProxyDefaults');
  return (service) => {
    const mode = own.find(({ name }) => name === service)?.spec.mutualTLSMode;
    return (mode === undefined || mode === '' ? all?.spec.mutualTLSMode : mode) === 'permissive';
  };
}

const MODES: Readonly<Record<string, MtlsMode>> = { strict: 'strict', permissive: 'permissive' };

export function consulMtlsOf(resources: readonly Resource[]): PeerAuthenticationPolicy[] {
  const policy = (object: Resource, namespace: string, mode: string | undefined): PeerAuthenticationPolicy[] => {
    const known = MODES[mode ?? ''];
    if (known === undefined) return [];
    const selector = object.kind === 'ProxyDefaults' ? null : { app: object.name };
    return [{ object: { ...object, namespace }, selector, created: object.created, mode: known, ports: {} }];
  };
  return [
    ...ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults').flatMap((one) =>
      policy(one, one.namespace, one.spec.mutualTLSMode),
    ),
    ...ofKind<ProxyDefaults>(resources, 'consul', 'ProxyDefaults').flatMap((one) =>
      policy(one, ROOT_NAMESPACE, one.spec.mutualTLSMode),
    ),
  ];
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

export function consulRateLimitsOf(resources: readonly Resource[]): RateLimitPolicy[] {
  return ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults').flatMap((object) => {
    const level = object.spec.rateLimits?.instanceLevel;
    if (level === undefined) return [];
    const { routes = [], ...whole } = level;
    const limits = [...routes.map((route) => ({ ...route, match: matchOf(route) })), { ...whole, match: null }];
    return limits.flatMap(({ requestsPerSecond, requestsMaxBurst, match }, i) =>
      requestsPerSecond === undefined
        ? []
        : [
            {
              object,
              target: { kind: 'name' as const, name: object.name },
              limit: {
                name: `${objectName(object)}#${i + 1}`,
                match,
                per: 'workload' as const,
                overrides: {},
                burst: requestsMaxBurst ?? requestsPerSecond,
                tokens: requestsPerSecond,
                perMs: 1_000,
              },
            },
          ],
    );
  });
}
