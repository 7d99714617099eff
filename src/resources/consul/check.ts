import { RETRY_CONDITIONS } from '../../model/route.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { type Refuse, refuser } from '../refuse.js';
import type { Report, Resource } from '../resource.js';
import type { IntentionSource, Permission, ProxyDefaults, ServiceDefaults, ServiceIntentions } from './defaults.js';
import { destinationOf } from './destination.js';
import type {
  FailoverWords,
  HashWords,
  LoadBalancerWords,
  QueryWords,
  RouterMatch,
  ServiceResolver,
  ServiceRouter,
  ServiceSplitter,
} from './routing.js';
import type { HeaderMatch } from './words.js';

/** What Consul refuses to write, seen from one entry (consul `agent/structs`, `Validate`; consul-k8s' webhooks). */

export function checkRouter({ spec }: Resource<ServiceRouter>, report: Report): void {
  const refuse = refuser(report);
  for (const { match, destination } of spec.routes ?? []) {
    const http = match?.http;
    if (http !== undefined) {
      checkRequest(http, 'a route', refuse);
      for (const query of http.queryParam ?? []) checkOne(query, ['present', 'exact', 'regex'], 'a parameter', refuse);
    }
    if (destination === undefined) continue;
    if (destination.prefixRewrite !== undefined && http?.pathExact === undefined && http?.pathPrefix === undefined)
      refuse(
        sourceOf(destination, 'prefixRewrite'),
        'prefixRewrite needs pathExact or pathPrefix in the match',
        'match: { http: { pathPrefix: /api } }',
      );
    for (const [i, word] of (destination.retryOn ?? []).entries())
      if (!RETRIED.has(word))
        refuse(
          sourceOf(destination.retryOn ?? [], i),
          `${word} is nothing that is retried`,
          `there are: ${[...RETRIED].join(', ')}`,
        );
  }
}

const RETRIED: ReadonlySet<string> = new Set(
  RETRY_CONDITIONS.filter((word) => !['retriable-status-codes', 'retriable-headers'].includes(word)),
);

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']);

/** What routes and permissions ask of requests. */
function checkRequest(http: RouterMatch & NonNullable<Permission['http']>, whose: string, refuse: Refuse): void {
  const paths = (['pathExact', 'pathPrefix', 'pathRegex'] as const).filter((key) => http[key] !== undefined);
  if (paths.length > 1) refuse(sourceOf(http, paths[1]), `${whose} matches by one of ${paths.join(' and ')}`);
  for (const key of ['pathExact', 'pathPrefix'] as const)
    if (http[key]?.startsWith('/') === false)
      refuse(sourceOf(http, key), `${key} ${http[key]} does not start with a slash`, `${key}: /${http[key]}`);
  for (const header of http.header ?? [])
    checkOne(header, ['present', 'exact', 'prefix', 'suffix', 'contains', 'regex'], 'a header', refuse);
  const methods = (http.methods ?? []).map((method) => method.toUpperCase());
  for (const [i, method] of methods.entries()) {
    const at = sourceOf(http.methods ?? [], i);
    if (!METHODS.has(method)) refuse(at, `${method} is no method`, `there are: ${[...METHODS].join(', ')}`);
    else if (methods.indexOf(method) !== i) refuse(at, `${method} stands twice`);
  }
}

/** Exactly one of the ways in which a thing can be compared; `present: false` is as if not written. */
function checkOne(
  match: HeaderMatch | QueryWords,
  ways: readonly (keyof HeaderMatch)[],
  what: string,
  refuse: Refuse,
): void {
  const written = ways.filter((way) => ![undefined, false].includes((match as HeaderMatch)[way] as undefined | false));
  if (written.length !== 1)
    refuse(
      sourceOf(match),
      `${what} is compared in one way, and ${match.name} in ${written.length === 0 ? 'none' : written.join(' and ')}`,
      `one of ${ways.join(', ')}`,
    );
}

/** In hundredths, as Consul counts them. */
export function checkSplitter({ spec }: Resource<ServiceSplitter>, report: Report): void {
  const refuse = refuser(report);
  const splits = spec.splits ?? [];
  if (splits.length === 0) {
    refuse(sourceOf(spec), 'it splits nothing', 'splits: [ { weight: 100 } ]');
    return;
  }
  const total = splits.reduce((sum, { weight }) => sum + Math.round(weight * 100), 0);
  if (total !== 10_000)
    refuse(
      sourceOf(splits),
      `the sum of all split weights must be 100, and it is ${total / 100}`,
      'weights that add up to 100',
    );
  const keys = splits.map(({ service = '', serviceSubset = '', namespace = '' }) =>
    [service, serviceSubset, namespace].join('/'),
  );
  for (const [i, split] of splits.entries()) {
    if (split.weight > 0 && split.weight < 0.01) refuse(sourceOf(split, 'weight'), 'a weight is at least 0.01');
    if (keys.indexOf(keys[i] as string) !== i)
      refuse(sourceOf(split), 'the same destination has a share already', 'one split with the sum of both');
  }
}

const SUBSET = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

export function checkResolver({ spec, name }: Resource<ServiceResolver>, report: Report): void {
  const refuse = refuser(report);
  const { subsets = {}, defaultSubset, redirect, failover = {}, loadBalancer, connectTimeout = 0 } = spec;
  const known = Object.keys(subsets);
  const has = known.length === 0 ? 'it has no subsets' : `there are: ${known.join(', ')}`;
  for (const subset of known)
    if (!SUBSET.test(subset))
      refuse(sourceOf(subsets, subset), `${subset} is no name of a subset`, 'small letters, digits and hyphens');
  if (defaultSubset !== undefined && !known.includes(defaultSubset))
    refuse(sourceOf(spec, 'defaultSubset'), `defaultSubset ${defaultSubset} is no subset`, has);
  if (connectTimeout < 0) refuse(sourceOf(spec, 'connectTimeout'), 'connectTimeout is at least 0s');
  if (redirect !== undefined) {
    if (Object.values(redirect).every((value) => value === undefined))
      refuse(sourceOf(spec, 'redirect'), 'the redirect is empty', 'redirect: { service: … }');
    if (redirect.serviceSubset !== undefined && redirect.service === undefined)
      refuse(sourceOf(redirect, 'serviceSubset'), 'a redirect to a subset names its service', `service: ${name}`);
    if (Object.keys(failover).length > 0)
      refuse(sourceOf(spec, 'failover'), 'a resolver that redirects has no failover: that of the other service holds');
  }
  for (const [subset, entry] of Object.entries(failover)) {
    const at = sourceOf(failover, subset);
    if (subset !== '*' && !known.includes(subset))
      refuse(at, `failover is for a subset or for *, and ${JSON.stringify(subset)} is none`, has);
    checkFailover(entry, { at, known, has }, refuse);
  }
  if (loadBalancer !== undefined) checkLoadBalancer(loadBalancer, refuse);
}

function checkFailover(
  entry: FailoverWords,
  { at, known, has }: { readonly at: SourceRef; readonly known: readonly string[]; readonly has: string },
  refuse: Refuse,
): void {
  const { targets = [], service, serviceSubset, namespace, datacenters, samenessGroup } = entry;
  const single = [service, serviceSubset, namespace, datacenters].some((part) => part !== undefined);
  if (!single && targets.length === 0 && samenessGroup === undefined)
    refuse(at, 'this failover goes nowhere', 'service, serviceSubset or targets');
  if (single && targets.length > 0) refuse(at, 'a failover has targets or says itself where it goes, not both');
  for (const target of [entry, ...targets])
    if (target.serviceSubset !== undefined && target.service === undefined && !known.includes(target.serviceSubset))
      refuse(sourceOf(target, 'serviceSubset'), `${target.serviceSubset} is no subset`, has);
}

function checkLoadBalancer(balancer: LoadBalancerWords, refuse: Refuse): void {
  const { policy, ringHashConfig, leastRequestConfig, hashPolicies = [] } = balancer;
  const only = (part: 'ringHashConfig' | 'leastRequestConfig' | 'hashPolicies', policies: readonly string[]): void => {
    if (!policies.includes(policy ?? ''))
      refuse(sourceOf(balancer, part), `${part} is for ${policies.join(' and ')}`, `policy: ${policies[0]}`);
  };
  if (ringHashConfig !== undefined) only('ringHashConfig', ['ring_hash']);
  if (leastRequestConfig !== undefined) only('leastRequestConfig', ['least_request']);
  if (hashPolicies.length > 0) only('hashPolicies', ['ring_hash', 'maglev']);
  for (const hash of hashPolicies) checkHash(hash, refuse);
}

function checkHash(hash: HashWords, refuse: Refuse): void {
  const { field, fieldValue, sourceIP = false, cookieConfig } = hash;
  const at = sourceOf(hash);
  if (sourceIP && field !== undefined) refuse(at, 'the address of the caller or a field, not both');
  if (!sourceIP && field === undefined)
    refuse(at, 'nothing is said to balance by', 'field and fieldValue, or sourceIP: true');
  if (field !== undefined && fieldValue === undefined) refuse(at, `the ${field} has no name`, 'fieldValue: …');
  if (cookieConfig === undefined) return;
  if (field !== 'cookie') refuse(sourceOf(hash, 'cookieConfig'), 'cookieConfig is for field: cookie');
  if (cookieConfig.session === true && (cookieConfig.ttl ?? 0) !== 0)
    refuse(sourceOf(cookieConfig, 'ttl'), 'a cookie of a session has no ttl');
}

export function checkIntentions(entry: Resource<ServiceIntentions>, report: Report): void {
  const refuse = refuser(report);
  const { sources = [], destination } = entry.spec;
  const name = destinationOf(entry);
  if (sources.length === 0)
    refuse(sourceOf(entry.spec, 'sources'), 'it has no source', "sources: [ { name: '*', action: deny } ]");
  if (isPartWild(name))
    refuse(
      sourceOf(destination ?? entry.spec, 'name'),
      `${name}: * stands for a whole name, not for a part`,
      "name: '*'",
    );
  const keys = sources.map(keyOf);
  for (const [i, source] of sources.entries()) {
    const at = sourceOf(sources, i);
    if (isPartWild(source.name)) refuse(at, `${source.name}: * stands for a whole name, not for a part`, "name: '*'");
    const { permissions = [] } = source;
    if ((source.action === undefined) === (permissions.length === 0))
      refuse(at, `the source ${source.name} has action or permissions, one of them`);
    if (keys.indexOf(keys[i] as string) !== i) refuse(at, `the source ${source.name} stands twice`);
    if (permissions.length > 0 && name === '*')
      refuse(at, 'permissions are about one service, and the destination is *', 'action: allow or action: deny');
    for (const [at, permission] of permissions.entries())
      if (permission.http === undefined || Object.values(permission.http).every((value) => value === undefined))
        refuse(sourceOf(permissions, at), 'a permission says of which requests', 'http: { pathPrefix: / }');
      else checkRequest(permission.http, 'a permission', refuse);
  }
}

function keyOf({ name, namespace = '', peer = '', partition = '', samenessGroup = '' }: IntentionSource): string {
  return [name, namespace, peer, partition, samenessGroup].join('/');
}

function isPartWild(name: string): boolean {
  return name !== '*' && name.includes('*');
}

export function checkServiceDefaults({ spec }: Resource<ServiceDefaults>, report: Report): void {
  const refuse = refuser(report);
  const { defaults, overrides = [] } = spec.upstreamConfig ?? {};
  if (defaults?.name !== undefined)
    refuse(
      sourceOf(defaults, 'name'),
      'the defaults are about every service and name none',
      'overrides: [ { name: … } ]',
    );
  for (const override of overrides)
    if (override.name === undefined) refuse(sourceOf(override), 'an override names its service', 'name: …');
}

export function checkProxyDefaults({ name }: Resource<ProxyDefaults>, report: Report): void {
  if (name !== 'global')
    refuser(report)(null, `ProxyDefaults are called global, and these ${name}`, 'metadata: { name: global }');
}
