import {
  anything,
  flag,
  list,
  number,
  oneOf,
  type Read,
  reader,
  record,
  shapeOf,
  text,
  unsupported,
  whole,
} from '../../yaml/readers.js';
import { goDuration } from '../words.js';
import { anyCase, anyCaseWith, elsewhere, headerMatch } from './words.js';

/** ServiceDefaults, ProxyDefaults, Mesh and ServiceIntentions, as they are read. */

const MODES = ['', 'strict', 'permissive'] as const;

const upstream = anyCase<{
  name: string;
  namespace: string;
  partition: never;
  peer: never;
  protocol: string;
  connectTimeoutMs: number;
  limits: { maxConnections?: number; maxPendingRequests?: number; maxConcurrentRequests?: number };
  passiveHealthCheck: {
    interval?: number;
    maxFailures?: number;
    enforcingConsecutive5xx?: number;
    maxEjectionPercent?: number;
    baseEjectionTime?: number;
  };
  meshGateway: true;
  balanceOutboundConnections: true;
  envoyListenerJSON: never;
  envoyClusterJSON: never;
}>({
  name: text,
  namespace: text,
  partition: elsewhere,
  peer: elsewhere,
  protocol: text,
  connectTimeoutMs: whole(1, 86_400_000),
  limits: anyCase<{ maxConnections: number; maxPendingRequests: number; maxConcurrentRequests: number }>({
    maxConnections: whole(0, 2 ** 31 - 1),
    maxPendingRequests: whole(0, 2 ** 31 - 1),
    maxConcurrentRequests: whole(0, 2 ** 31 - 1),
  }),
  passiveHealthCheck: anyCase<{
    interval: number;
    maxFailures: number;
    enforcingConsecutive5xx: number;
    maxEjectionPercent: number;
    baseEjectionTime: number;
  }>({
    interval: goDuration,
    maxFailures: whole(0, 2 ** 31 - 1),
    enforcingConsecutive5xx: whole(0, 100),
    maxEjectionPercent: whole(0, 100),
    baseEjectionTime: goDuration,
  }),
  meshGateway: anything,
  balanceOutboundConnections: anything,
  envoyListenerJSON: unsupported('no Envoy runs here'),
  envoyClusterJSON: unsupported('no Envoy runs here'),
});

const limitedRoute = anyCase<{
  pathExact: string;
  pathPrefix: string;
  pathRegex: string;
  requestsPerSecond: number;
  requestsMaxBurst: number;
}>({
  pathExact: text,
  pathPrefix: text,
  pathRegex: text,
  requestsPerSecond: whole(1, 1_000_000),
  requestsMaxBurst: whole(1, 1_000_000),
});

const instanceLevel = anyCase<{
  requestsPerSecond: number;
  requestsMaxBurst: number;
  routes: Read<typeof limitedRoute>[];
}>({
  requestsPerSecond: whole(1, 1_000_000),
  requestsMaxBurst: whole(1, 1_000_000),
  routes: list(limitedRoute),
});

export const serviceDefaults = anyCase<{
  protocol: string;
  mutualTLSMode: (typeof MODES)[number];
  upstreamConfig: { defaults?: Read<typeof upstream>; overrides?: Read<typeof upstream>[] };
  rateLimits: { instanceLevel?: Read<typeof instanceLevel> };
  maxInboundConnections: never;
  localConnectTimeoutMs: never;
  localRequestTimeoutMs: never;
  balanceInboundConnections: true;
  meshGateway: true;
  expose: true;
  externalSNI: never;
  transparentProxy: true;
  mode: string;
  destination: never;
  envoyExtensions: never;
}>({
  protocol: text,
  mutualTLSMode: oneOf(MODES),
  upstreamConfig: anyCase<{ defaults: Read<typeof upstream>; overrides: Read<typeof upstream>[] }>({
    defaults: upstream,
    overrides: list(upstream),
  }),
  rateLimits: anyCase<{ instanceLevel: Read<typeof instanceLevel> }>({ instanceLevel }),
  maxInboundConnections: unsupported('connections to the app are not limited'),
  localConnectTimeoutMs: unsupported('the way to the app has a time of its own (x-mesh.limits)'),
  localRequestTimeoutMs: unsupported('the time that an app has is its callers’ (requestTimeout)'),
  balanceInboundConnections: anything,
  meshGateway: anything,
  expose: anything,
  externalSNI: unsupported('no TLS is originated to servers outside of the mesh'),
  transparentProxy: anything,
  mode: text,
  destination: unsupported('hosts outside of the mesh are declared by a ServiceEntry'),
  envoyExtensions: unsupported('no Envoy runs here'),
});

/** Whatever Envoy's bootstrap takes; what services speak is all that is looked at. */
const proxyConfig = reader<{ readonly protocol: string | null }>(shapeOf(record(anything)), (view, where) => {
  const protocol = view.entries(where).find(({ key }) => key.toLowerCase() === 'protocol');
  return { protocol: protocol?.value.text(`${where}.protocol`) ?? null };
});

export const proxyDefaults = anyCase<{
  config: { readonly protocol: string | null };
  mutualTLSMode: (typeof MODES)[number];
  meshGateway: true;
  expose: true;
  accessLogs: true;
  transparentProxy: true;
  mode: string;
  failoverPolicy: never;
  prioritizeByLocality: true;
  envoyExtensions: never;
}>({
  config: proxyConfig,
  mutualTLSMode: oneOf(MODES),
  meshGateway: anything,
  expose: anything,
  accessLogs: anything,
  transparentProxy: anything,
  mode: text,
  failoverPolicy: elsewhere,
  prioritizeByLocality: anything,
  envoyExtensions: unsupported('no Envoy runs here'),
});

export const mesh = anyCase<{
  allowEnablingPermissiveMutualTLS: boolean;
  transparentProxy: { meshDestinationsOnly?: boolean };
  tls: true;
  http: true;
  peering: true;
  validateClusters: true;
}>({
  allowEnablingPermissiveMutualTLS: flag,
  transparentProxy: anyCase<{ meshDestinationsOnly: boolean }>({ meshDestinationsOnly: flag }),
  tls: anything,
  http: anything,
  peering: anything,
  validateClusters: anything,
});

const permission = anyCaseWith<
  {
    action: 'allow' | 'deny';
    http: {
      pathExact?: string;
      pathPrefix?: string;
      pathRegex?: string;
      methods?: string[];
      header?: Read<typeof headerMatch>[];
    };
    jwt: never;
  },
  'action'
>(['action'], {
  action: oneOf(['allow', 'deny']),
  http: anyCase<{
    pathExact: string;
    pathPrefix: string;
    pathRegex: string;
    methods: string[];
    header: Read<typeof headerMatch>[];
  }>({
    pathExact: text,
    pathPrefix: text,
    pathRegex: text,
    methods: list(text),
    header: list(headerMatch),
  }),
  jwt: unsupported('tokens are looked at by a RequestAuthentication'),
});

const source = anyCaseWith<
  {
    name: string;
    namespace: string;
    partition: never;
    peer: never;
    samenessGroup: never;
    action: 'allow' | 'deny';
    permissions: Read<typeof permission>[];
    description: string;
    type: string;
    precedence: number;
  },
  'name'
>(['name'], {
  name: text,
  namespace: text,
  partition: elsewhere,
  peer: elsewhere,
  samenessGroup: elsewhere,
  action: oneOf(['allow', 'deny']),
  permissions: list(permission),
  description: text,
  type: text,
  precedence: number(0, 9),
});

export const serviceIntentions = anyCaseWith<
  {
    destination: { name?: string; namespace?: string };
    sources: Read<typeof source>[];
    jwt: never;
  },
  'sources'
>(['sources'], {
  destination: anyCase<{ name: string; namespace: string }>({ name: text, namespace: text }),
  sources: list(source),
  jwt: unsupported('tokens are looked at by a RequestAuthentication'),
});

export type ServiceDefaults = Read<typeof serviceDefaults>;
export type Upstream = Read<typeof upstream>;
export type LimitedRoute = Read<typeof limitedRoute>;
export type ProxyDefaults = Read<typeof proxyDefaults>;
export type Mesh = Read<typeof mesh>;
export type ServiceIntentions = Read<typeof serviceIntentions>;
export type IntentionSource = Read<typeof source>;
export type Permission = Read<typeof permission>;
