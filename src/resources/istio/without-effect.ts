import { READING } from '../../model/finding.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Report } from '../resource.js';
import type { DestinationRule, LoadBalancerSpec, PortSettings, TlsSpec } from './destination-rule.js';

type Unobeyed = (of: object, field: string, why: string, hint?: string) => void;

/** Tells of settings of a DestinationRule that are obeyed but for what they say here. */
export function tellWithoutEffect({ trafficPolicy, subsets = [] }: DestinationRule, report: Report): void {
  const tell: Unobeyed = (of, field, why, hint = '') =>
    report(READING.unsupportedField, 'warning', sourceOf(of, field), `${field} is not obeyed: ${why}`, hint);
  for (const policy of [trafficPolicy, ...subsets.map((subset) => subset.trafficPolicy)])
    for (const settings of [policy, ...(policy?.portLevelSettings ?? [])])
      if (settings !== undefined) tellSettings(settings, tell);
}

function tellSettings({ tls, loadBalancer }: PortSettings, tell: Unobeyed): void {
  if (tls !== undefined) tellTls(tls, tell);
  if (loadBalancer !== undefined) tellBalancer(loadBalancer, tell);
}

function tellTls(tls: TlsSpec, tell: Unobeyed): void {
  const { mode, sni = '', insecureSkipVerify, credentialName } = tls;
  if (credentialName !== undefined)
    tell(
      tls,
      'credentialName',
      'sidecars read files, so nothing is encrypted here',
      'caCertificates: /etc/ssl/certs/ca-certificates.crt',
    );
  if (mode !== 'ISTIO_MUTUAL') return;
  if (sni !== '') tell(tls, 'sni', 'with ISTIO_MUTUAL the SNI says which destination is meant', 'leave it out');
  // Istio does not look at it, either (pilot/pkg/networking/core/cluster_tls.go).
  if (insecureSkipVerify === true)
    tell(tls, 'insecureSkipVerify', 'with ISTIO_MUTUAL certificates are always verified', 'mode: SIMPLE');
}

function tellBalancer(balancer: LoadBalancerSpec, tell: Unobeyed): void {
  const { simple, consistentHash, warmup, warmupDurationSecs } = balancer;
  if (simple === 'PASSTHROUGH')
    tell(
      balancer,
      'simple',
      'PASSTHROUGH is taken for LEAST_REQUEST',
      'a ServiceEntry with resolution: NONE passes connections on to where they were going',
    );
  const warms = warmup !== undefined || warmupDurationSecs !== undefined;
  if (!warms || (consistentHash === undefined && simple !== 'RANDOM')) return;
  // Nor does Istio (applyLoadBalancer).
  tell(
    balancer,
    warmup === undefined ? 'warmupDurationSecs' : 'warmup',
    `new endpoints are not warmed up where ${simple ?? 'consistentHash'} chooses`,
    'simple: ROUND_ROBIN or LEAST_REQUEST',
  );
}
