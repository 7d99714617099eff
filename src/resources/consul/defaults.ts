import {
  anything,
  flag,
  list,
  oneOf,
  type Read,
  type Reader,
  reader,
  record,
  shapeOf,
  text,
  unobeyed,
  unobeyedFlag,
  unsupported,
  whole,
} from '../../yaml/readers.js';
import { anyCase, anyCaseWith, elsewhere, headerMatch, partition, pattern, time, word, wordOf } from './words.js';

/** ServiceDefaults, ProxyDefaults, Mesh and ServiceIntentions, as they are read. */

const MODES = ['strict', 'permissive'] as const;

/** All or nobody: a share of those who fail is not put aside. */
const enforcing: Reader<number> = reader(shapeOf(whole(0, 100)), (view, where, findings) => {
  const percent = whole(0, 100)(view, where, findings);
  if (percent !== undefined && percent > 0 && percent < 100)
    findings.unsupported(view.source, where, 'who fails is put aside always, or with 0 never');
  return percent;
});

const upstream = anyCase<{
  name: string;
  namespace: string;
  partition: string;
  peer: string;
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
  name: word,
  namespace: word,
  partition,
  peer: elsewhere,
  protocol: unobeyed(
    'what a service speaks stands in its own ServiceDefaults, and holds for all of its callers',
    word,
    () => true,
  ),
  connectTimeoutMs: whole(0, 86_400_000),
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
    interval: time,
    maxFailures: whole(0, 2 ** 31 - 1),
    enforcingConsecutive5xx: enforcing,
    maxEjectionPercent: whole(0, 100),
    baseEjectionTime: time,
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
  pathExact: word,
  pathPrefix: word,
  pathRegex: pattern,
  requestsPerSecond: whole(0, 1_000_000),
  requestsMaxBurst: whole(0, 1_000_000),
});

const instanceLevel = anyCase<{
  requestsPerSecond: number;
  requestsMaxBurst: number;
  routes: Read<typeof limitedRoute>[];
}>({
  requestsPerSecond: whole(0, 1_000_000),
  requestsMaxBurst: whole(0, 1_000_000),
  routes: list(limitedRoute),
});

const EXPOSED = 'no path is open beside the port of the app: mutualTLSMode: permissive lets in who has no sidecar';

const expose = anyCase<{ checks: boolean; paths: true[] }>({
  checks: unobeyedFlag(EXPOSED),
  paths: unobeyed(EXPOSED, list(anything), (paths) => paths.length > 0),
});

const transparentProxy = anyCase<{ outboundListenerPort: number; dialedDirectly: boolean }>({
  outboundListenerPort: unobeyed(
    'connections are captured at a port of the sandbox’s own',
    whole(0, 65_535),
    (port) => port > 0,
  ),
  dialedDirectly: unobeyedFlag(
    'no sidecar knows the addresses of instances: what is dialled by one is passed on as it is',
  ),
});

const PROXY_MODES = ['transparent', 'direct'] as const;

const proxyMode = unobeyed(
  'sidecars are transparent; apps of the local runtime get addresses of their sidecar by themselves',
  wordOf(PROXY_MODES),
  (mode) => mode === 'direct',
);

const accessLogs = anyCase<{
  enabled: boolean;
  disableListenerLogs: true;
  type: true;
  path: true;
  jsonFormat: true;
  textFormat: true;
}>({
  enabled: unobeyedFlag('the sandbox records every request; see mesh-sandbox tap'),
  disableListenerLogs: anything,
  type: anything,
  path: anything,
  jsonFormat: anything,
  textFormat: anything,
});

/** Of Consul Enterprise. */
export const prioritizeByLocality = anyCase<{ mode: 'none' | 'failover' }>({
  mode: unobeyed(
    'instances near and far are asked alike; failover to a subset is said by failover.targets',
    wordOf(['none', 'failover']),
    (mode) => mode === 'failover',
  ),
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
  expose: Read<typeof expose>;
  externalSNI: never;
  transparentProxy: Read<typeof transparentProxy>;
  mode: (typeof PROXY_MODES)[number];
  destination: never;
  envoyExtensions: never;
}>({
  protocol: wordOf(['tcp', 'http', 'http2', 'grpc']),
  mutualTLSMode: wordOf(MODES),
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
  expose,
  externalSNI: unsupported('no TLS is originated to servers outside of the mesh'),
  transparentProxy,
  mode: proxyMode,
  destination: unsupported('hosts outside of the mesh are declared by a ServiceEntry'),
  envoyExtensions: unsupported('no Envoy runs here'),
});

/** Settings of a proxy that change what becomes of requests, and what holds here in their place. */
const CHANGES: Readonly<Record<string, string>> = {
  localrequesttimeoutms: 'the way to the app has times of its own (x-mesh.limits)',
  localconnecttimeoutms: 'the way to the app has times of its own (x-mesh.limits)',
  localidletimeoutms: 'the way to the app has times of its own (x-mesh.limits)',
  maxinboundconnections: 'connections to the app are not limited',
  envoytracingjson: 'the sandbox keeps its traces itself',
};

/** Where figures go and where Envoy listens: nothing of it is seen by a request. */
const OWN =
  /^(?:protocol|balanceinboundconnections|bind(?:address|port)|envoy(?:prometheus|stats|extrastats|dogstatsd|ready|telemetrycollector).*)$/;

/** Whatever Envoy's bootstrap takes; what services speak is all that is obeyed (consul `agent/xds/config`). */
const proxyConfig = reader<{ readonly protocol: string | null }>(shapeOf(record(anything)), (view, where, findings) => {
  for (const { key, keySource } of view.entries(where)) {
    const name = key.replaceAll('_', '').toLowerCase();
    if (OWN.test(name)) continue;
    const why =
      CHANGES[name] ?? (name.startsWith('envoy') ? 'no Envoy runs here' : 'of config only protocol is obeyed');
    findings.unsupported(keySource, `${where}.${key}`, why);
  }
  const protocol = view.entries(where).find(({ key }) => key.toLowerCase() === 'protocol');
  return { protocol: protocol?.value.text(`${where}.protocol`) ?? null };
});

export const proxyDefaults = anyCase<{
  config: { readonly protocol: string | null };
  mutualTLSMode: (typeof MODES)[number];
  meshGateway: true;
  expose: Read<typeof expose>;
  accessLogs: Read<typeof accessLogs>;
  transparentProxy: Read<typeof transparentProxy>;
  mode: (typeof PROXY_MODES)[number];
  failoverPolicy: never;
  prioritizeByLocality: Read<typeof prioritizeByLocality>;
  envoyExtensions: never;
}>({
  config: proxyConfig,
  mutualTLSMode: wordOf(MODES),
  meshGateway: anything,
  expose,
  accessLogs,
  transparentProxy,
  mode: proxyMode,
  failoverPolicy: unsupported('there is one datacentre and one partition here'),
  prioritizeByLocality,
  envoyExtensions: unsupported('no Envoy runs here'),
});

export const mesh = anyCase<{
  allowEnablingPermissiveMutualTLS: boolean;
  transparentProxy: { meshDestinationsOnly?: boolean };
  tls: never;
  http: { sanitizeXForwardedClientCert?: boolean; incoming?: { requestNormalization?: never } };
  peering: true;
  validateClusters: true;
}>({
  allowEnablingPermissiveMutualTLS: flag,
  transparentProxy: anyCase<{ meshDestinationsOnly: boolean }>({ meshDestinationsOnly: flag }),
  tls: unsupported('sidecars speak TLS 1.3 with one set of ciphers'),
  http: anyCase<{ sanitizeXForwardedClientCert: boolean; incoming: { requestNormalization?: never } }>({
    sanitizeXForwardedClientCert: flag,
    incoming: anyCase<{ requestNormalization: never }>({
      requestNormalization: unsupported('callees join slashes and resolve dots always'),
    }),
  }),
  peering: anything,
  validateClusters: anything,
});

/** Who must have signed the caller's token, and what it must say. */
const jwt = anyCase<{ providers: { name?: string; verifyClaims?: { path?: string[]; value?: string }[] }[] }>({
  providers: list(
    anyCase<{ name: string; verifyClaims: { path?: string[]; value?: string }[] }>({
      name: word,
      verifyClaims: list(anyCase<{ path: string[]; value: string }>({ path: list(text), value: word })),
    }),
  ),
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
    jwt: Read<typeof jwt>;
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
    pathExact: word,
    pathPrefix: word,
    pathRegex: pattern,
    methods: list(text),
    header: list(headerMatch),
  }),
  jwt,
});

const source = anyCaseWith<
  {
    name: string;
    namespace: string;
    partition: string;
    peer: string;
    samenessGroup: string;
    action: 'allow' | 'deny';
    permissions: Read<typeof permission>[];
    description: true;
    type: true;
    precedence: true;
    legacyID: true;
    legacyMeta: true;
    legacyCreateTime: true;
    legacyUpdateTime: true;
  },
  'name'
>(['name'], {
  name: word,
  namespace: word,
  partition,
  peer: elsewhere,
  samenessGroup: elsewhere,
  action: wordOf(['allow', 'deny']),
  permissions: list(permission),
  description: anything,
  type: anything,
  precedence: anything,
  legacyID: anything,
  legacyMeta: anything,
  legacyCreateTime: anything,
  legacyUpdateTime: anything,
});

export const serviceIntentions = anyCase<{
  destination: { name?: string; namespace?: string };
  sources: Read<typeof source>[];
  jwt: Read<typeof jwt>;
}>({
  destination: anyCase<{ name: string; namespace: string }>({ name: word, namespace: word }),
  sources: list(source),
  jwt,
});

export type ServiceDefaults = Read<typeof serviceDefaults>;
export type Upstream = Read<typeof upstream>;
export type LimitedRoute = Read<typeof limitedRoute>;
export type ProxyDefaults = Read<typeof proxyDefaults>;
export type Mesh = Read<typeof mesh>;
export type ServiceIntentions = Read<typeof serviceIntentions>;
export type IntentionSource = Read<typeof source>;
export type IntentionToken = Read<typeof jwt>;
export type Permission = Read<typeof permission>;
