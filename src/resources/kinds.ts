import { anything, map } from '../yaml/readers.js';
import { CONSUL_KINDS, CONSUL_PASSED } from './consul/kinds.js';
import { GATEWAY_API_KINDS } from './gateway-api/kinds.js';
import { authorizationPolicy } from './istio/authorization-policy.js';
import { checkAuthorizationPolicy } from './istio/check-authorization.js';
import { destinationRule } from './istio/destination-rule.js';
import { envoyFilter, tellEnvoyFilter } from './istio/envoy-filter.js';
import { checkConfigMap } from './istio/mesh-config.js';
import { gateway, peerAuthentication, sidecar } from './istio/others.js';
import { checkRequestAuthentication, requestAuthentication } from './istio/request-authentication.js';
import { serviceEntry, workloadEntry } from './istio/service-entry.js';
import { telemetry } from './istio/telemetry.js';
import { checkVirtualService } from './istio/validate.js';
import { checkDestinationRule } from './istio/validate-destination.js';
import {
  checkGateway,
  checkPeerAuthentication,
  checkServiceEntry,
  checkSidecar,
  checkWorkloadEntry,
} from './istio/validate-others.js';
import { virtualService } from './istio/virtual-service.js';
import { configMap } from './kubernetes/config-map.js';
import { deployment } from './kubernetes/deployment.js';
import { service } from './kubernetes/service.js';
import { LINKERD_KINDS } from './linkerd/kinds.js';
import { type Kind, kindOf } from './resource.js';
import { checkFault, fault } from './sandbox/fault.js';
import { rateLimit } from './sandbox/rate-limit.js';

const ISTIO_NETWORKING = {
  dialect: 'istio',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  body: 'spec',
} as const;
const ISTIO_SECURITY = {
  dialect: 'istio',
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  body: 'spec',
} as const;
const SANDBOX = { dialect: 'sandbox', group: 'mesh-sandbox.dev', versions: ['v1'], body: 'spec' } as const;
const KUBERNETES = { dialect: 'kubernetes', group: '', versions: ['v1'] } as const;
const unread = map(anything, () => ({}));

/** Every kind that is read. */
export const KINDS: readonly Kind[] = [
  kindOf({ ...ISTIO_NETWORKING, kind: 'VirtualService', spec: virtualService, check: checkVirtualService }),
  kindOf({ ...ISTIO_NETWORKING, kind: 'DestinationRule', spec: destinationRule, check: checkDestinationRule }),
  kindOf({ ...ISTIO_NETWORKING, kind: 'ServiceEntry', spec: serviceEntry, check: checkServiceEntry }),
  kindOf({ ...ISTIO_NETWORKING, kind: 'WorkloadEntry', spec: workloadEntry, check: checkWorkloadEntry }),
  kindOf({ ...ISTIO_NETWORKING, kind: 'Sidecar', spec: sidecar, check: checkSidecar }),
  kindOf({ ...ISTIO_NETWORKING, kind: 'Gateway', spec: gateway, check: checkGateway }),
  kindOf({
    ...ISTIO_NETWORKING,
    versions: ['v1alpha3'],
    kind: 'EnvoyFilter',
    spec: envoyFilter,
    check: tellEnvoyFilter,
  }),
  kindOf({ ...ISTIO_SECURITY, kind: 'PeerAuthentication', spec: peerAuthentication, check: checkPeerAuthentication }),
  kindOf({
    ...ISTIO_SECURITY,
    kind: 'AuthorizationPolicy',
    spec: authorizationPolicy,
    check: checkAuthorizationPolicy,
  }),
  kindOf({
    ...ISTIO_SECURITY,
    kind: 'RequestAuthentication',
    spec: requestAuthentication,
    check: checkRequestAuthentication,
  }),
  kindOf({
    dialect: 'istio',
    group: 'telemetry.istio.io',
    versions: ['v1', 'v1alpha1'],
    body: 'spec',
    kind: 'Telemetry',
    spec: telemetry,
  }),
  ...GATEWAY_API_KINDS,
  ...LINKERD_KINDS,
  ...CONSUL_KINDS,
  kindOf({ ...SANDBOX, kind: 'Fault', spec: fault, check: checkFault }),
  kindOf({ ...SANDBOX, kind: 'RateLimit', spec: rateLimit }),
  kindOf({ ...KUBERNETES, kind: 'Service', body: 'spec', spec: service }),
  kindOf({ ...KUBERNETES, kind: 'ConfigMap', body: 'object', spec: configMap, check: checkConfigMap }),
  kindOf({ ...KUBERNETES, kind: 'ServiceAccount', body: 'object', spec: unread }),
  kindOf({ ...KUBERNETES, kind: 'Namespace', body: 'object', spec: unread }),
  kindOf({ ...KUBERNETES, group: 'apps', kind: 'Deployment', body: 'spec', spec: deployment }),
];

/**
 * Kinds that manifests hold and a sandbox has no use for: by `group/kind` what is told of them; '' = nothing, since nothing
 * is lost.
 */
export const PASSED_KINDS: Readonly<Record<string, string | undefined>> = {
  '/Secret': '',
  '/PersistentVolumeClaim': '',
  '/Pod': 'pods are the workloads of the Compose file; this one has no effect',
  'gateway.networking.k8s.io/TCPRoute': 'TCPRoute has no effect: connections go to the Service that was called',
  'gateway.networking.k8s.io/TLSRoute': 'TLSRoute has no effect: connections go to the Service that was called',
  'gateway.networking.k8s.io/ListenerSet': 'ListenerSet has no effect: listeners stand in their Gateway',
  'gateway.networking.x-k8s.io/XListenerSet': 'XListenerSet has no effect: listeners stand in their Gateway',
  'networking.k8s.io/Ingress': 'Ingress has no effect: what comes in is bound by a Gateway',
  'networking.k8s.io/NetworkPolicy': 'NetworkPolicy has no effect: the mesh decides about requests, not about packets',
  'inference.networking.k8s.io/InferencePool': 'InferencePool has no effect: it is no Service',
  'multicluster.x-k8s.io/ServiceImport': 'ServiceImport has no effect: there is one cluster',
  'split.smi-spec.io/TrafficSplit': 'TrafficSplit has no effect: Linkerd splits by the backendRefs of an HTTPRoute',
  'multicluster.linkerd.io/Link': 'Link has no effect: there is one cluster',
  'workload.linkerd.io/ExternalWorkload': 'ExternalWorkload has no effect: workloads stand in the Compose file',
  'kustomize.config.k8s.io/Kustomization':
    'a Kustomization is for kustomize, which is not run: pipe what it prints into mesh-sandbox apply -',
  'install.istio.io/IstioOperator': 'IstioOperator installs Istio: it has no effect',
  'gateway.networking.k8s.io/UDPRoute': 'UDPRoute has no effect: the mesh carries no UDP',
  'networking.istio.io/ProxyConfig': 'ProxyConfig has no effect: sidecars are set up by x-mesh.limits',
  'networking.istio.io/WorkloadGroup': 'WorkloadGroup has no effect: workloads stand in the Compose file',
  ...CONSUL_PASSED,
  'extensions.istio.io/WasmPlugin': 'WasmPlugin has no effect: sidecars run no WebAssembly',
};
