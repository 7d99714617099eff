import { CIDRS, FLAG, MODE, NUMBER, PORT, PORTS, PROXY_CONFIG, type Value, withStar } from './annotation-values.js';

/** Kinds whose metadata an annotation of Istio may stand in. */
export type Bearer = 'Any' | 'Pod' | 'Service' | 'ServiceEntry' | 'Namespace' | 'Gateway' | 'Ingress' | (string & {});

export interface KnownAnnotation {
  readonly on: readonly Bearer[];
  readonly deprecated: boolean;
  /** Null = whatever it says is taken. */
  readonly value: Value | null;
}

function on(
  bearers: string,
  names: string,
  { deprecated = false, values = {} as Readonly<Record<string, Value>> } = {},
): [string, KnownAnnotation][] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [name, { on: bearers.split(' '), deprecated, value: values[name] ?? null }]);
}

const SIDECAR = 'sidecar.istio.io';

/**
 * Istio's own annotations, and where they belong (istio.io/api annotation/annotations.yaml, of all releases that are still
 * in use: what one of them knows is not unknown).
 */
export const ANNOTATIONS: ReadonlyMap<string, KnownAnnotation> = new Map([
  ...on(
    'Any',
    `galley.istio.io/analyze-suppress gateway.istio.io/controller-version install.operator.istio.io/chart-owner
     install.operator.istio.io/owner-generation install.operator.istio.io/version`,
  ),
  ...on(
    'Pod',
    `ambient.istio.io/bypass-inbound-capture ambient.istio.io/dns-capture ambient.istio.io/redirection
     inject.istio.io/templates istio.io/reroute-virtual-interfaces istio.io/rev prometheus.istio.io/merge-metrics
     proxy.istio.io/config proxy.istio.io/overrides readiness.status.${SIDECAR}/applicationPorts
     readiness.status.${SIDECAR}/failureThreshold readiness.status.${SIDECAR}/initialDelaySeconds
     readiness.status.${SIDECAR}/periodSeconds security.istio.io/autoMTLS ${SIDECAR}/agentLogLevel
     ${SIDECAR}/bootstrapOverride ${SIDECAR}/componentLogLevel ${SIDECAR}/enableCoreDump ${SIDECAR}/interceptionMode
     ${SIDECAR}/logLevel ${SIDECAR}/nativeSidecar ${SIDECAR}/proxyCPU ${SIDECAR}/proxyCPULimit ${SIDECAR}/proxyImage
     ${SIDECAR}/proxyImageType ${SIDECAR}/proxyMemory ${SIDECAR}/proxyMemoryLimit ${SIDECAR}/rewriteAppHTTPProbers
     ${SIDECAR}/statsCompression ${SIDECAR}/statsHistogramBuckets ${SIDECAR}/status ${SIDECAR}/userVolume
     ${SIDECAR}/userVolumeMount status.${SIDECAR}/port traffic.${SIDECAR}/excludeInboundPorts
     traffic.${SIDECAR}/excludeInterfaces traffic.${SIDECAR}/excludeOutboundIPRanges
     traffic.${SIDECAR}/excludeOutboundPorts traffic.${SIDECAR}/includeInboundPorts
     traffic.${SIDECAR}/includeOutboundIPRanges traffic.${SIDECAR}/includeOutboundPorts`,
    {
      values: {
        'prometheus.istio.io/merge-metrics': FLAG,
        'proxy.istio.io/config': PROXY_CONFIG,
        [`readiness.status.${SIDECAR}/failureThreshold`]: NUMBER,
        [`readiness.status.${SIDECAR}/initialDelaySeconds`]: NUMBER,
        [`readiness.status.${SIDECAR}/periodSeconds`]: NUMBER,
        [`${SIDECAR}/interceptionMode`]: MODE,
        [`status.${SIDECAR}/port`]: PORT,
        [`traffic.${SIDECAR}/excludeInboundPorts`]: PORTS,
        [`traffic.${SIDECAR}/excludeOutboundIPRanges`]: CIDRS,
        [`traffic.${SIDECAR}/excludeOutboundPorts`]: PORTS,
        [`traffic.${SIDECAR}/includeInboundPorts`]: withStar(PORTS),
        [`traffic.${SIDECAR}/includeOutboundIPRanges`]: withStar(CIDRS),
      },
    },
  ),
  ...on(
    'Pod',
    `alpha.istio.io/identity ${SIDECAR}/controlPlaneAuthPolicy ${SIDECAR}/discoveryAddress ${SIDECAR}/extraStatTags
     ${SIDECAR}/inject ${SIDECAR}/statsInclusionPrefixes ${SIDECAR}/statsInclusionRegexps
     ${SIDECAR}/statsInclusionSuffixes traffic.${SIDECAR}/kubevirtInterfaces`,
    { deprecated: true },
  ),
  ...on('Service', 'networking.istio.io/exportTo traffic.istio.io/nodeSelector'),
  ...on('Service', 'alpha.istio.io/canonical-serviceaccounts alpha.istio.io/kubernetes-serviceaccounts', {
    deprecated: true,
  }),
  ...on('Service ServiceEntry Namespace', 'networking.istio.io/traffic-distribution'),
  ...on('Namespace', 'topology.istio.io/controlPlaneClusters'),
  ...on(
    'Gateway',
    `gateway.istio.io/name-override gateway.istio.io/service-account networking.istio.io/address-type
     networking.istio.io/service-type`,
  ),
  ...on('GatewayClass Gateway', 'ambient.istio.io/waypoint-inbound-binding'),
  ...on('AuthorizationPolicy', 'istio.io/dry-run'),
  ...on(
    'WorkloadEntry',
    'istio.io/autoRegistrationGroup istio.io/connectedAt istio.io/disconnectedAt istio.io/workloadController',
  ),
  ...on('Ingress', 'kubernetes.io/ingress.class'),
]);

/** Whether an annotation is one of Istio's, by its prefix; the one of Kubernetes' that Istio documents is looked at too. */
export function isIstios(name: string): boolean {
  return /^(?:[^/]+\.)?istio\.io\//.test(name) || name === 'kubernetes.io/ingress.class';
}
