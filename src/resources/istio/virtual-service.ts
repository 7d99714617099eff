import {
  flag,
  list,
  map,
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
import { goDuration, labels, passed, portNumber, portSelector } from '../words.js';
import { absentMatch, stringMatch } from './string-match.js';

/** What a VirtualService may hold (istio.io/api networking/v1, virtual_service.proto), as it is read. */

const percentage = table({ value: number(-1_000, 1_000) });

const headerOperations = table({ set: record(text), add: record(text), remove: list(text) });
const headers = table({ request: headerOperations, response: headerOperations });

export const destination = tableWith(['host'], { host: text, subset: text, port: portSelector });

const httpDestination = tableWith(['destination'], { destination, weight: number(-1e9, 1e9), headers });

const httpMatch = table({
  name: text,
  uri: stringMatch,
  scheme: stringMatch,
  method: stringMatch,
  authority: stringMatch,
  headers: record(stringMatch),
  port: portNumber(),
  sourceLabels: labels,
  gateways: list(text),
  queryParams: record(stringMatch),
  ignoreUriCase: flag,
  withoutHeaders: record(absentMatch),
  sourceNamespace: text,
  statPrefix: passed,
});

const redirect = table({
  uri: text,
  prefixRewrite: text,
  authority: text,
  port: portNumber(),
  derivePort: oneOf(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT']),
  scheme: text,
  redirectCode: whole(0, 999),
});

const directResponse = tableWith(['status'], {
  status: whole(0, 999),
  body: table({ string: text, bytes: text }),
});

const rewrite = table({
  uri: text,
  authority: text,
  uriRegexRewrite: table({ match: text, rewrite: text }),
});

const retries = table({
  attempts: whole(-1_000, 1_000_000),
  perTryTimeout: goDuration,
  retryOn: text,
  retryRemoteLocalities: unobeyed(
    'a retry goes to another place only where outlierDetection has put the nearer ones aside',
    flag,
    (asked) => asked,
  ),
  retryIgnorePreviousHosts: flag,
  backoff: goDuration,
});

const delay = table({
  fixedDelay: goDuration,
  percentage,
  percent: whole(-1_000, 1_000),
  exponentialDelay: unsupported('Istio does not implement it either'),
});

const abort = table({
  httpStatus: whole(0, 9_999),
  grpcStatus: text,
  http2Error: unsupported('Istio does not implement it either'),
  percentage,
});

const fault = table({ delay, abort });

const corsPolicy = table({
  allowOrigins: list(stringMatch),
  allowOrigin: map(list(text), (origins) => origins),
  allowMethods: list(text),
  allowHeaders: list(text),
  exposeHeaders: list(text),
  maxAge: goDuration,
  allowCredentials: flag,
  unmatchedPreflights: oneOf(['UNSPECIFIED', 'FORWARD', 'IGNORE']),
});

const mirrors = list(tableWith(['destination'], { destination, percentage }));

export const httpRoute = table({
  name: text,
  match: list(httpMatch),
  route: list(httpDestination),
  redirect,
  directResponse,
  delegate: tableWith(['name'], { name: text, namespace: text }),
  rewrite,
  timeout: goDuration,
  retries,
  fault,
  mirror: destination,
  mirrors,
  mirrorPercent: whole(0, 1_000),
  mirrorPercentage: percentage,
  corsPolicy,
  headers,
});

const l4Match = table({
  destinationSubnets: unsupported('connections are told apart by service and port'),
  port: portNumber(),
  sourceLabels: labels,
  sourceSubnet: unsupported('callers are told apart by their labels'),
  gateways: list(text),
  sourceNamespace: text,
});

const l4Destination = tableWith(['destination'], { destination, weight: number(-1e9, 1e9) });

const tcpRoute = table({ match: list(l4Match), route: list(l4Destination) });

const tlsMatch = tableWith(['sniHosts'], {
  sniHosts: list(text),
  destinationSubnets: unsupported('connections are told apart by service and port'),
  port: portNumber(),
  sourceLabels: labels,
  gateways: list(text),
  sourceNamespace: text,
});

const tlsRoute = table({ match: list(tlsMatch), route: list(l4Destination) });

export const virtualService = table({
  hosts: list(text),
  gateways: list(text),
  http: list(httpRoute),
  tls: list(tlsRoute),
  tcp: list(tcpRoute),
  exportTo: list(text),
});

export type VirtualService = Read<typeof virtualService>;
export type HttpRoute = Read<typeof httpRoute>;
export type HttpMatch = Read<typeof httpMatch>;
export type Destination = Read<typeof destination>;
export type HttpDestination = Read<typeof httpDestination>;
export type Headers = Read<typeof headers>;
export type HeaderOperations = Read<typeof headerOperations>;
export type Redirect = Read<typeof redirect>;
export type Retries = Read<typeof retries>;
export type HttpFault = Read<typeof fault>;
export type Cors = Read<typeof corsPolicy>;
export type TcpRoute = Read<typeof tcpRoute>;
export type TlsRoute = Read<typeof tlsRoute>;
