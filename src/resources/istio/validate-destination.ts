import type { SourceRef } from '../../model/source.js';
import { isBlank, sourceOf } from '../../yaml/positions.js';
import { type Refuse, refuser } from '../refuse.js';
import type { Report, Resource } from '../resource.js';
import { checkExports } from './check-exports.js';
import type {
  DestinationRule,
  LoadBalancerSpec,
  OutlierSpec,
  PortSettings,
  TlsSpec,
  TrafficPolicySpec,
} from './destination-rule.js';
import { tellWithoutEffect } from './without-effect.js';

/** What Istio's admission refuses of a DestinationRule (pkg/config/validation). */
export function checkDestinationRule(resource: Resource<DestinationRule>, report: Report): void {
  const { spec } = resource;
  const refuse = refuser(report);
  checkExports(spec.exportTo, refuse);
  if (spec.trafficPolicy !== undefined) checkTraffic(spec.trafficPolicy, refuse);
  const seen = new Set<string>();
  for (const subset of spec.subsets ?? []) {
    if (seen.has(subset.name)) refuse(sourceOf(subset), `the subset ${subset.name} stands twice`);
    seen.add(subset.name);
    if (!/^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(subset.name))
      refuse(
        sourceOf(subset, 'name'),
        `${JSON.stringify(subset.name)} is no name for a subset`,
        'letters, digits and dashes',
      );
    if (subset.trafficPolicy !== undefined) checkTraffic(subset.trafficPolicy, refuse);
  }
  tellWithoutEffect(spec, report);
}

function checkTraffic(policy: TrafficPolicySpec, refuse: Refuse): void {
  if (isBlank(policy)) refuse(sourceOf(policy), 'trafficPolicy says nothing', 'leave it out');
  checkSettings(policy, refuse);
  for (const entry of policy.portLevelSettings ?? []) {
    if (entry.port === undefined) refuse(sourceOf(entry), 'settings of a port name it', 'port: { number: 80 }');
    checkSettings(entry, refuse);
  }
}

function checkSettings({ connectionPool, outlierDetection, loadBalancer, tls }: PortSettings, refuse: Refuse): void {
  if (tls !== undefined) checkTls(tls, refuse);
  if (loadBalancer !== undefined) checkPlaces(loadBalancer, refuse);
  if (connectionPool !== undefined) {
    if (isBlank(connectionPool)) refuse(sourceOf(connectionPool), 'connectionPool says nothing', 'leave it out');
    for (const part of [connectionPool.tcp, connectionPool.http])
      for (const [name, value] of Object.entries(part ?? {}))
        if (typeof value === 'number' && value < 0)
          refuse(sourceOf(part as object, name), `${name} cannot be negative`);
  }
  if (outlierDetection !== undefined) checkOutlier(outlierDetection, refuse);
  const hash = loadBalancer?.consistentHash;
  if (hash !== undefined) {
    const ways = [hash.httpHeaderName, hash.httpCookie, hash.useSourceIp, hash.httpQueryParameterName];
    if (ways.every((way) => way === undefined))
      refuse(sourceOf(hash), 'consistentHash goes by nothing', 'httpHeaderName: x-user');
    if (ways.filter((way) => way !== undefined).length > 1)
      refuse(sourceOf(hash), 'consistentHash goes by one thing, not by several');
    if (loadBalancer?.simple !== undefined)
      refuse(sourceOf(hash), 'a loadBalancer is simple or consistentHash, not both');
  }
}

function checkTls(tls: TlsSpec, refuse: Refuse): void {
  const { mode, clientCertificate, privateKey, caCertificates, credentialName } = tls;
  const files = [clientCertificate, privateKey, caCertificates].filter((file) => file !== undefined);
  if (
    mode === 'MUTUAL' &&
    credentialName === undefined &&
    (clientCertificate === undefined || privateKey === undefined)
  )
    refuse(
      sourceOf(tls),
      'TLS MUTUAL needs a certificate of ours',
      'clientCertificate and privateKey, or credentialName',
    );
  if (mode === 'ISTIO_MUTUAL' && files.length + (credentialName === undefined ? 0 : 1) > 0)
    refuse(sourceOf(tls), 'with ISTIO_MUTUAL the mesh gives certificates, and none are named', 'mode: MUTUAL');
}

function checkPlaces({ localityLbSetting, warmup }: LoadBalancerSpec, refuse: Refuse): void {
  if (warmup !== undefined && warmup.duration === undefined)
    refuse(sourceOf(warmup), 'warmup says how long', 'duration: 30s');
  if (warmup?.aggression !== undefined && warmup.aggression < 1)
    refuse(sourceOf(warmup, 'aggression'), 'aggression is at least 1');
  if (localityLbSetting === undefined) return;
  const { distribute = [], failover = [] } = localityLbSetting;
  if (distribute.length > 0 && failover.length > 0)
    refuse(sourceOf(localityLbSetting), 'places are weighed by distribute or asked in order by failover, not both');
  for (const { to } of distribute) {
    const total = Object.values(to).reduce((sum, weight) => sum + weight, 0);
    if (total !== 100) refuse(sourceOf(to), `the weights of distribute add up to 100, and these to ${total}`);
  }
  for (const entry of failover)
    if (entry.from === entry.to) refuse(sourceOf(entry), `failover from ${entry.from} leads back to it`);
}

function checkOutlier(spec: OutlierSpec, refuse: Refuse): void {
  const at = (field: keyof OutlierSpec & string): SourceRef => sourceOf(spec, field);
  for (const field of ['interval', 'baseEjectionTime'] as const)
    if (spec[field] !== undefined && spec[field] < 1) refuse(at(field), `${field} must be at least 1ms`);
  for (const field of ['maxEjectionPercent', 'minHealthPercent'] as const)
    if (spec[field] !== undefined && (spec[field] < 0 || spec[field] > 100))
      refuse(at(field), `${field} must be from 0 to 100`);
  if (
    spec.consecutiveLocalOriginFailures !== undefined &&
    spec.consecutiveLocalOriginFailures > 0 &&
    spec.splitExternalLocalOriginErrors !== true
  )
    refuse(
      at('consecutiveLocalOriginFailures'),
      'consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true',
    );
}
