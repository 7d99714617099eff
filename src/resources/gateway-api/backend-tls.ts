import { X509Certificate } from 'node:crypto';
import type { OriginatedTls, Roots } from '../../model/cluster.js';
import type { FlavorName } from '../../model/flavor.js';
import { fqdn } from '../../model/names.js';
import { type DestinationPolicy, objectName } from '../../model/policies.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { list, oneOf, type Read, tableWith, text, unsupported } from '../../yaml/readers.js';
import type { ConfigMap } from '../kubernetes/config-map.js';
import { namedPort } from '../kubernetes/service.js';
import { layTraffic } from '../lay-traffic.js';
import { ofKind, type Resource } from '../resource.js';
import { byAge } from './any-route.js';
import { hostName, preciseHostName, sectionName } from './words.js';

/** How a caller proves that a Service is who it should be, as it is read (BackendTLSPolicy, GEP-1897). */
export const backendTlsPolicy = tableWith(['targetRefs', 'validation'], {
  targetRefs: list(tableWith(['group', 'kind', 'name'], { group: text, kind: text, name: text, sectionName })),
  validation: tableWith(['hostname'], {
    hostname: preciseHostName,
    caCertificateRefs: list(tableWith(['group', 'kind', 'name'], { group: text, kind: text, name: text })),
    wellKnownCACertificates: oneOf(['System']),
    subjectAltNames: list(tableWith(['type'], { type: oneOf(['Hostname', 'URI']), hostname: hostName, uri: text })),
  }),
  options: unsupported('they are an implementation\u2019s own'),
});

export type BackendTlsPolicy = Read<typeof backendTlsPolicy>;
type Policy = Resource<BackendTlsPolicy>;

/** What is wrong with a policy, in the Gateway API's words. */
export interface BadTls {
  readonly reason: 'TargetNotFound' | 'InvalidKind' | 'InvalidCACertificateRef' | 'Conflicted';
  readonly source: SourceRef;
  readonly message: string;
  readonly hint: string;
}

/**
 * DestinationRules with what BackendTLSPolicies say of the same Service, as Istio takes them, for sidecars and gateways
 * (istio pilot/pkg/config/kube/gateway, backend_policies.go): the oldest of a Service or of its port holds.
 */
export function withBackendTls(
  destinations: readonly DestinationPolicy[],
  resources: readonly Resource[],
  flavor: FlavorName,
): DestinationPolicy[] {
  if (flavor !== 'istio') return [...destinations];
  const known = [...destinations];
  for (const policy of policiesIn(resources)) {
    const tls = {
      mode: 'originate',
      tls: originatedOf(policy, resources),
      source: sourceOf(policy.spec, 'validation'),
    } as const;
    for (const target of targetsOf(policy, resources))
      if (target.bad === null)
        layTraffic({ tls }, { host: fqdn(target.name, policy.namespace), port: target.port }, policy, known);
  }
  return known;
}

function policiesIn(resources: readonly Resource[]): Policy[] {
  return ofKind<BackendTlsPolicy>(resources, 'gateway-api', 'BackendTLSPolicy').toSorted(byAge);
}

/** The host name is what SNI says, and who must answer where no other names are listed. */
function originatedOf(policy: Policy, resources: readonly Resource[]): OriginatedTls {
  const { hostname, subjectAltNames = [] } = policy.spec.validation;
  const names = subjectAltNames.flatMap(({ type, hostname: host, uri }) => (type === 'URI' ? uri : host) ?? []);
  return {
    sni: hostname,
    names: names.length > 0 ? names : [hostname],
    roots: rootsOf(policy, resources),
    verify: true,
    client: null,
    object: objectName(policy),
    source: sourceOf(policy.spec, 'validation'),
  };
}

function rootsOf(policy: Policy, resources: readonly Resource[]): Roots {
  if (policy.spec.validation.caCertificateRefs === undefined) return { kind: 'system' };
  const found = certificatesOf(policy, resources);
  return 'reason' in found ? { kind: 'none', why: found.message } : { kind: 'certificates', ...found };
}

/** The certificates that a policy refers to, or why there are none: then nobody is trusted, and nothing goes out in plaintext. */
function certificatesOf(
  { spec, namespace }: Policy,
  resources: readonly Resource[],
): { readonly pem: string; readonly from: string } | BadTls {
  const [ref] = spec.validation.caCertificateRefs ?? [];
  const bad = (reason: BadTls['reason'], message: string, hint: string): BadTls => ({
    reason,
    source: ref === undefined ? sourceOf(spec.validation, 'caCertificateRefs') : sourceOf(ref, 'name'),
    message,
    hint,
  });
  if (ref === undefined)
    return bad('InvalidCACertificateRef', 'no certificates are referred to', 'wellKnownCACertificates: System');
  if (ref.group !== '' || ref.kind !== 'ConfigMap')
    return bad('InvalidKind', `certificates are not taken from the kind ${ref.kind}`, 'kind: ConfigMap');
  const map = ofKind<ConfigMap>(resources, 'kubernetes', 'ConfigMap').find(
    (one) => one.name === ref.name && one.namespace === namespace,
  );
  if (map === undefined)
    return bad('InvalidCACertificateRef', `there is no ConfigMap ${namespace}/${ref.name}`, 'apply it as well');
  const pem = map.spec.data?.['ca.crt'] ?? map.spec.data?.['cacert'];
  if (pem === undefined || !isCertificates(pem))
    return bad(
      'InvalidCACertificateRef',
      `the ConfigMap ${namespace}/${ref.name} has no certificates in PEM at ca.crt`,
      'data: { ca.crt: "-----BEGIN CERTIFICATE-----…" }',
    );
  return { pem, from: objectName(map) };
}

function isCertificates(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** A Service, or a port of it, that a policy is about. */
export interface TlsTarget {
  readonly name: string;
  /** Null = all ports. */
  readonly port: number | null;
  readonly bad: BadTls | null;
}

export function targetsOf(policy: Policy, resources: readonly Resource[]): TlsTarget[] {
  const byTheirAge = policiesIn(resources);
  return policy.spec.targetRefs.map((ref) => {
    const { group, kind, name, sectionName: section } = ref;
    const target = { name, port: section === undefined ? null : namedPort(name, policy.namespace, section, resources) };
    const bad = (reason: BadTls['reason'], field: string, message: string, hint = ''): TlsTarget => ({
      ...target,
      bad: { reason, source: sourceOf(ref, field), message, hint },
    });
    if (group !== '' || kind !== 'Service')
      return bad('TargetNotFound', 'kind', `a target of kind ${kind} is not known`, 'kind: Service');
    if (section !== undefined && target.port === null)
      return bad('TargetNotFound', 'sectionName', `no Service ${name} has a port named ${section}`, 'leave it out');
    const older = byTheirAge.find((other) => namesAlike(other, policy, ref));
    if (older !== undefined && older !== policy)
      return bad('Conflicted', 'name', `${objectName(older)} is older and says it already`, 'delete one of them');
    return { ...target, bad: null };
  });
}

function namesAlike(
  other: Policy,
  { namespace }: Policy,
  { kind, name, sectionName: section }: BackendTlsPolicy['targetRefs'][number],
): boolean {
  return (
    other.namespace === namespace &&
    other.spec.targetRefs.some((ref) => ref.kind === kind && ref.name === name && ref.sectionName === section)
  );
}

/** What keeps a policy as a whole from letting anybody through; null = nothing. */
export function badCertificatesOf(policy: Policy, resources: readonly Resource[]): BadTls | null {
  if (policy.spec.validation.caCertificateRefs === undefined) return null;
  const found = certificatesOf(policy, resources);
  return 'reason' in found ? found : null;
}
