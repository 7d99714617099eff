import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import type { DestinationRule, TrafficPolicySpec } from '../istio/destination-rule.js';
import { type Gateway, isHttp } from '../istio/others.js';
import type { ServiceEntry } from '../istio/service-entry.js';
import type { Telemetry } from '../istio/telemetry.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

/** What Istio's admission takes with a warning (pkg/config/validation, `WrapWarning`). */
export function analyzeSchemaWarnings({ resources }: World, tell: Tell): void {
  for (const service of ofKind<VirtualService>(resources, 'istio', 'VirtualService'))
    checkGatewayNames(service.spec, (where, message, hint) =>
      tell('IST0133', 'warning', service, where, message, { hint, also: ['KIA1108'] }),
    );
  const each = <S extends object>(kind: string, check: (spec: S, warn: Warn) => void): void => {
    for (const object of ofKind<S>(resources, 'istio', kind))
      check(object.spec, (where, message, hint) => tell('IST0133', 'warning', object, where, message, { hint }));
  };
  each<DestinationRule>('DestinationRule', checkFailover);
  each<ServiceEntry>('ServiceEntry', checkEntry);
  each<Gateway>('Gateway', checkServers);
  each<Telemetry>('Telemetry', checkTracing);
}

type Warn = (where: SourceRef, message: string, hint: string) => void;

/** `gateway.namespace` is how Gateways were named before `namespace/gateway`. */
function checkGatewayNames({ gateways = [] }: VirtualService, warn: Warn): void {
  for (const [i, name] of gateways.entries()) {
    if (name.includes('/') || !name.includes('.')) continue;
    const [gateway = '', namespace = ''] = name.split('.');
    warn(
      sourceOf(gateways, i),
      `${name} is the old way to name a Gateway of another namespace`,
      `${namespace}/${gateway}`,
    );
  }
}

/** Endpoints are never taken for unhealthy, so no other place is ever asked. */
function checkFailover({ trafficPolicy, subsets = [] }: DestinationRule, warn: Warn): void {
  const policies: (TrafficPolicySpec | undefined)[] = [trafficPolicy, ...subsets.map((one) => one.trafficPolicy)];
  for (const policy of policies)
    for (const { loadBalancer, outlierDetection } of [policy ?? {}, ...(policy?.portLevelSettings ?? [])]) {
      const setting = loadBalancer?.localityLbSetting;
      if (setting === undefined || outlierDetection !== undefined) continue;
      for (const field of ['failover', 'failoverPriority'] as const)
        if ((setting[field] ?? []).length > 0)
          warn(
            sourceOf(setting, field),
            `${field} without outlierDetection: no endpoint is ever taken for failed`,
            'outlierDetection: { consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s }',
          );
    }
}

function checkEntry(spec: ServiceEntry, warn: Warn): void {
  const { hosts, resolution = 'NONE', workloadSelector } = spec;
  for (const [i, host] of hosts.entries())
    if (/^\*[^.]/.test(host))
      warn(sourceOf(hosts, i), `${host} stands for a part of a name, which no proxy compares`, `*.${host.slice(1)}`);
  if (resolution === 'NONE' && workloadSelector !== undefined)
    warn(
      sourceOf(spec, 'workloadSelector'),
      'with resolution NONE requests go where they were sent, and no workload is chosen',
      'resolution: STATIC',
    );
}

const OLD_TLS = ['TLSV1_0', 'TLSV1_1'];

function checkServers({ servers = [] }: Gateway, warn: Warn): void {
  for (const server of servers) {
    const { tls } = server;
    if (tls === undefined) continue;
    const { cipherSuites = [], minProtocolVersion = '' } = tls;
    if (tls.httpsRedirect === true && !isHttp(server))
      warn(sourceOf(tls, 'httpsRedirect'), 'httpsRedirect is for servers of HTTP', 'leave it out');
    if (OLD_TLS.includes(minProtocolVersion) && cipherSuites.length === 0)
      warn(
        sourceOf(tls, 'minProtocolVersion'),
        `none of the default cipher suites can be used below TLS 1.2`,
        'cipherSuites: [ ECDHE-RSA-AES128-SHA ], or leave minProtocolVersion out',
      );
    for (const [i, suite] of cipherSuites.entries())
      if (cipherSuites.indexOf(suite) !== i)
        warn(sourceOf(cipherSuites, i), `the cipher suite ${suite} stands twice`, 'leave one out');
  }
}

function checkTracing(spec: Telemetry, warn: Warn): void {
  const { tracing = [] } = spec;
  if (tracing.length > 1)
    warn(sourceOf(spec, 'tracing'), `of ${tracing.length} rules of tracing one alone counts`, 'one rule');
  for (const rule of tracing)
    if ((rule.providers ?? []).length > 1)
      warn(sourceOf(rule, 'providers'), `of ${rule.providers?.length} providers one alone is told`, 'one provider');
}
