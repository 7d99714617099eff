import {
  flag,
  list,
  number,
  oneOf,
  type Read,
  record,
  table,
  tableWith,
  text,
  unobeyed,
  unsupported,
  whole,
} from '../../yaml/readers.js';
import { goDuration, labels, passed, portSelector } from '../words.js';

/** What a DestinationRule may hold (istio.io/api networking/v1, destination_rule.proto), as it is read. */

const httpCookie = tableWith(['name'], {
  name: text,
  path: text,
  ttl: goDuration,
  attributes: list(tableWith(['name'], { name: text, value: text })),
});

const consistentHash = table({
  httpHeaderName: text,
  httpCookie,
  useSourceIp: flag,
  httpQueryParameterName: text,
  ringHash: table({ minimumRingSize: whole(0, 8_388_608) }),
  maglev: table({ tableSize: whole(0, 5_000_011) }),
  minimumRingSize: whole(0, 8_388_608),
});

const localityLbSetting = table({
  distribute: list(tableWith(['from', 'to'], { from: text, to: record(whole(0, 100)) })),
  failover: list(tableWith(['from', 'to'], { from: text, to: text })),
  failoverPriority: list(text),
  enabled: flag,
});

const loadBalancer = table({
  simple: oneOf(['UNSPECIFIED', 'LEAST_CONN', 'LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM', 'PASSTHROUGH']),
  consistentHash,
  localityLbSetting,
  warmupDurationSecs: goDuration,
  warmup: table({ duration: goDuration, minimumPercent: number(0, 100), aggression: number(0, 1_000) }),
});

const tcpSettings = table({
  maxConnections: whole(-1_000_000, 2 ** 32 - 1),
  connectTimeout: goDuration,
  tcpKeepalive: passed,
  maxConnectionDuration: goDuration,
  idleTimeout: goDuration,
});

const ONE_PROTOCOL = 'HTTP/1.1 is spoken between sidecars';

const httpSettings = table({
  http1MaxPendingRequests: whole(-1_000_000, 2 ** 32 - 1),
  http2MaxRequests: whole(-1_000_000, 2 ** 32 - 1),
  maxRequestsPerConnection: whole(-1_000_000, 2 ** 32 - 1),
  maxRetries: whole(-1_000_000, 2 ** 32 - 1),
  idleTimeout: goDuration,
  h2UpgradePolicy: unobeyed(
    ONE_PROTOCOL,
    oneOf(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE']),
    (policy) => policy === 'UPGRADE',
  ),
  useClientProtocol: unobeyed(ONE_PROTOCOL, flag, (asked) => asked),
  maxConcurrentStreams: unobeyed(
    `${ONE_PROTOCOL}: http2MaxRequests limits the requests under way`,
    whole(-1_000_000, 2 ** 32 - 1),
    (most) => most > 0,
  ),
  // Of HTTP/2, which is not spoken between sidecars.
  http2KeepAlive: passed,
});

const connectionPool = table({ tcp: tcpSettings, http: httpSettings });

const outlierDetection = table({
  consecutiveErrors: unobeyed(
    'Istio does not look at it any more: consecutive5xxErrors, or consecutiveGatewayErrors',
    whole(-1_000, 2 ** 31),
  ),
  splitExternalLocalOriginErrors: flag,
  consecutiveLocalOriginFailures: whole(0, 2 ** 32 - 1),
  consecutiveGatewayErrors: whole(0, 2 ** 32 - 1),
  consecutive5xxErrors: whole(0, 2 ** 32 - 1),
  interval: goDuration,
  baseEjectionTime: goDuration,
  maxEjectionPercent: whole(-1_000, 1_000),
  minHealthPercent: whole(-1_000, 1_000),
});

const tls = table({
  mode: oneOf(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']),
  clientCertificate: text,
  privateKey: text,
  caCertificates: text,
  credentialName: text,
  subjectAltNames: list(text),
  sni: text,
  insecureSkipVerify: flag,
  caCrl: unsupported('certificates are not asked whether they were taken back'),
});

const settings = {
  loadBalancer,
  connectionPool,
  outlierDetection,
  tls,
  retryBudget: table({ percent: number(-1_000, 1_000), minRetryConcurrency: whole(0, 2 ** 32 - 1) }),
};

const portSettings = table({
  port: portSelector,
  ...settings,
});

export const trafficPolicy = table({
  ...settings,
  portLevelSettings: list(portSettings),
  tunnel: unsupported('requests are not tunnelled through CONNECT'),
  proxyProtocol: unsupported('no PROXY protocol is spoken to endpoints'),
});

const subset = tableWith(['name'], { name: text, labels, trafficPolicy });

export const destinationRule = tableWith(['host'], {
  host: text,
  trafficPolicy,
  subsets: list(subset),
  exportTo: list(text),
  workloadSelector: table({ matchLabels: labels }),
});

export type DestinationRule = Read<typeof destinationRule>;
export type TrafficPolicySpec = Read<typeof trafficPolicy>;
export type PortSettings = Read<typeof portSettings>;
export type LoadBalancerSpec = Read<typeof loadBalancer>;
export type ConnectionPoolSpec = Read<typeof connectionPool>;
export type OutlierSpec = Read<typeof outlierDetection>;
export type TlsSpec = Read<typeof tls>;
