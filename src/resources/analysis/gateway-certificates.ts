import { sourceOf } from '../../yaml/positions.js';
import type { Gateway, GatewayServer, ServerTls } from '../istio/others.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/**
 * One certificate at several Gateways of one workload: a browser sends requests for all of its names over one HTTP/2
 * connection, which knows the routes of one Gateway alone (envoy#6767; istioctl's gateway.CertificateAnalyzer).
 */
export function analyzeGatewayCertificates({ resources }: World, tell: Tell): void {
  const gateways = ofKind<Gateway>(resources, 'istio', 'Gateway');
  for (const gateway of gateways)
    for (const other of gateways) {
      if (other === gateway || !isWithin(gateway.spec.selector ?? {}, other.spec.selector ?? {})) continue;
      const shared = secured(gateway).find((tls) => secured(other).some((theirs) => isSame(tls, theirs)));
      if (shared !== undefined)
        tell(
          'IST0138',
          'warning',
          gateway,
          sourceOf(shared, shared.credentialName === undefined ? 'serverCertificate' : 'credentialName'),
          `${other.namespace}/${other.name} has the same certificate: clients that use one HTTP/2 connection for both may be answered 404`,
          { hint: 'one Gateway for all hosts of a certificate, or a certificate for each' },
        );
    }
}

function secured({ spec }: Resource<Gateway>): ServerTls[] {
  return (spec.servers ?? []).flatMap(({ tls }: GatewayServer) => (tls === undefined ? [] : [tls]));
}

function isWithin(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  return Object.entries(one).every(([label, value]) => other[label] === value);
}

function isSame(a: ServerTls, b: ServerTls): boolean {
  const [one, other] = [a.credentialName ?? '', b.credentialName ?? ''];
  if (one !== '' || other !== '') return one === other;
  return (
    (a.serverCertificate ?? '') !== '' &&
    (a.privateKey ?? '') !== '' &&
    a.serverCertificate === b.serverCertificate &&
    a.privateKey === b.privateKey
  );
}
