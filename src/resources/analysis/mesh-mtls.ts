import { ROOT_NAMESPACE } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import type { DestinationRule } from '../istio/destination-rule.js';
import { meshDefaultsOf } from '../istio/mesh-config.js';
import type { PeerAuthentication } from '../istio/others.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost } from '../words.js';
import type { Tell, World } from './world.js';

type Rule = Resource<DestinationRule>;
type Policy = Resource<PeerAuthentication>;

/**
 * DestinationRules and PeerAuthentications of a whole mesh or namespace that contradict or miss one another (Kiali's mTLS
 * checkers). What is missing matters only where MeshConfig switches automatic mutual TLS off: Kiali is silent elsewhere, too.
 */
export function analyzeMeshMtls({ resources }: World, tell: Tell): void {
  const wide = ofKind<DestinationRule>(resources, 'istio', 'DestinationRule').filter(({ spec }) => modeOf(spec) !== '');
  const policies = ofKind<PeerAuthentication>(resources, 'istio', 'PeerAuthentication').filter(
    ({ spec }) => Object.keys(spec.selector?.matchLabels ?? {}).length === 0,
  );
  for (const policy of policies) if (policy.spec.mtls?.mode === 'DISABLE') checkDisabled(policy, wide, tell);
  const automatic = meshDefaultsOf(resources).enableAutoMtls !== false;
  // What Istio does by itself comes to the same as ISTIO_MUTUAL.
  const missed = wide.filter((rule) => isMutual(rule) && !(automatic && modeOf(rule.spec) === 'ISTIO_MUTUAL'));
  for (const rule of ofKind<DestinationRule>(resources, 'istio', 'DestinationRule'))
    checkOverridden(rule, missed, tell);
  if (automatic) return;
  for (const rule of wide) checkServers(rule, policies, tell);
  for (const policy of policies) if (policy.spec.mtls?.mode === 'STRICT') checkCallers(policy, wide, tell);
}

/** The mode that a rule has for all ports of all subsets; '' = none. */
function modeOf({ trafficPolicy }: DestinationRule): string {
  return trafficPolicy?.tls?.mode ?? '';
}

function isMutual(rule: Rule): boolean {
  return ['MUTUAL', 'ISTIO_MUTUAL'].includes(modeOf(rule.spec));
}

function isForMesh({ spec }: Rule): boolean {
  return spec.host === '*.local';
}

function isForNamespace({ spec }: Rule, namespace: string): boolean {
  return spec.host === `*.${namespace}.svc.cluster.local`;
}

function named({ namespace, name }: Resource): string {
  return `${namespace}/${name}`;
}

/** Callers are told to speak mutual TLS to servers that take plaintext only. */
function checkDisabled(policy: Policy, wide: readonly Rule[], tell: Tell): void {
  const { namespace, spec } = policy;
  const own = wide.filter((rule) => isForNamespace(rule, namespace));
  const mesh = wide.find((rule) => isForMesh(rule) && isMutual(rule));
  const inNamespace = own.find(isMutual) ?? (own.length > 0 ? undefined : mesh);
  const rule = namespace === ROOT_NAMESPACE ? mesh : inNamespace;
  if (rule === undefined || spec.mtls === undefined) return;
  const host = namespace === ROOT_NAMESPACE ? '*.local' : `*.${namespace}.svc.cluster.local`;
  tell(
    namespace === ROOT_NAMESPACE ? 'KIA0506' : 'KIA0505',
    'error',
    policy,
    sourceOf(spec.mtls, 'mode'),
    `mutual TLS is switched off, and DestinationRule ${named(rule)} tells callers to speak it to ${rule.spec.host}: no connection comes about`,
    { hint: `a DestinationRule for "${host}" with tls: { mode: DISABLE }, or none that asks for ${modeOf(rule.spec)}` },
  );
}

/** A rule without tls goes before one with it for all hosts, and does not take tls over from it. */
function checkOverridden(rule: Rule, missed: readonly Rule[], tell: Tell): void {
  const { trafficPolicy, host } = rule.spec;
  const ports = trafficPolicy?.portLevelSettings ?? [];
  if (trafficPolicy?.tls !== undefined || ports.some(({ tls }) => tls !== undefined)) return;
  const full = fullHost(host, rule.namespace);
  const wider = missed.find(
    (other) => other.spec.host.startsWith('*') && full !== other.spec.host && isWithin(full, other),
  );
  if (wider !== undefined)
    tell(
      'KIA0204',
      'warning',
      rule,
      sourceOf(rule.spec, trafficPolicy === undefined ? 'host' : 'trafficPolicy'),
      `it says nothing of tls, and what DestinationRule ${named(wider)} says for ${wider.spec.host} does not hold for ${host}: one rule alone counts`,
      { hint: `trafficPolicy: { tls: { mode: ${modeOf(wider.spec)} } }` },
    );
}

function isWithin(host: string, { spec }: Rule): boolean {
  return host.endsWith(spec.host.slice(1));
}

/** Callers speak mutual TLS, and no PeerAuthentication makes servers take it. */
function checkServers(rule: Rule, policies: readonly Policy[], tell: Tell): void {
  const mesh = isForMesh(rule);
  if (!isMutual(rule) || !(mesh || isForNamespace(rule, rule.namespace))) return;
  const takes = policies.some(
    ({ namespace, spec }) =>
      ['STRICT', 'PERMISSIVE'].includes(spec.mtls?.mode ?? '') &&
      (namespace === ROOT_NAMESPACE || (!mesh && namespace === rule.namespace)),
  );
  const { tls } = rule.spec.trafficPolicy ?? {};
  if (!takes && tls !== undefined)
    tell(
      mesh ? 'KIA0205' : 'KIA0206',
      'error',
      rule,
      sourceOf(tls, 'mode'),
      `callers speak mutual TLS to ${rule.spec.host}, and no PeerAuthentication of ${mesh ? 'the mesh' : 'the namespace or the mesh'} switches it on`,
      { hint: `a PeerAuthentication in ${mesh ? ROOT_NAMESPACE : rule.namespace} with mtls: { mode: STRICT }` },
    );
}

/** Servers take mutual TLS only, and no DestinationRule makes callers speak it. */
function checkCallers(policy: Policy, wide: readonly Rule[], tell: Tell): void {
  const { namespace, spec } = policy;
  const mesh = namespace === ROOT_NAMESPACE;
  const speaks = wide.some((rule) => isMutual(rule) && (isForMesh(rule) || (!mesh && isForNamespace(rule, namespace))));
  if (speaks || spec.mtls === undefined) return;
  const host = mesh ? '*.local' : `*.${namespace}.svc.cluster.local`;
  tell(
    mesh ? 'KIA0401' : 'KIA0501',
    'error',
    policy,
    sourceOf(spec.mtls, 'mode'),
    'servers take mutual TLS only, automatic mutual TLS is off, and no DestinationRule makes callers speak it',
    { hint: `a DestinationRule for "${host}" with tls: { mode: ISTIO_MUTUAL }` },
  );
}
