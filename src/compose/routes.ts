import type { RetrySettings, RouteSettings } from '../model/app.js';
import {
  type CorsPolicy,
  EVERYTHING,
  type FieldChanges,
  type HashPolicy,
  type Mirror,
  type Rewrite,
  type RouteAction,
  type RouteFault,
  type RouteMatch,
  type TextMatch,
  type WeightedCluster,
} from '../model/route.js';
import {
  duration,
  expression,
  flag,
  limit,
  list,
  map,
  oneOf,
  percent,
  type Reader,
  reader,
  record,
  shapeOf,
  table,
  text,
  whole,
} from '../yaml/readers.js';
import { oneKey, readMatch, readPath, readTextMatch } from '../yaml/route-match.js';
import { readRetries } from './retries.js';

/** `x-mesh.services.<name>.routes`: what the policies of a dialect compile to, in short words. */

const readChanges: Reader<FieldChanges> = map(
  table<{ set: Record<string, string>; add: Record<string, string>; remove: string[] }>({
    set: record(text),
    add: record(text),
    remove: list(text),
  }),
  ({ set = {}, add = {}, remove = [] }): FieldChanges => ({
    set: lowerNames(set),
    add: lowerNames(add),
    remove: remove.map((name) => name.toLowerCase()),
  }),
);

function lowerNames(fields: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]);
}

interface HeaderWords {
  request: FieldChanges;
  response: FieldChanges;
}

const readHeaders = table<HeaderWords>({ request: readChanges, response: readChanges });

const readDestination: Reader<WeightedCluster> = map(
  table<{ service: string; version: string; weight: number; headers: Partial<HeaderWords> }>({
    service: text,
    version: text,
    weight: whole(0, 1_000_000),
    headers: readHeaders,
  }),
  ({ service = '', version, weight = 1, headers = {} }) => ({
    cluster: version === undefined ? service : `${service}/${version}`,
    weight,
    requestFields: headers.request ?? null,
    responseFields: headers.response ?? null,
  }),
);

const readRewrite: Reader<Rewrite> = map(
  table<{ host: string; path: string; prefix: string; segments: string; regex: string; substitution: string }>({
    host: text,
    path: readPath,
    prefix: text,
    segments: readPath,
    regex: expression,
    substitution: text,
  }),
  ({ host = null, path, prefix, segments, regex, substitution = '' }): Rewrite => ({
    host,
    path:
      path !== undefined
        ? { kind: 'full', value: path }
        : prefix !== undefined
          ? { kind: 'prefix', value: prefix }
          : segments !== undefined
            ? { kind: 'segments', value: segments }
            : regex !== undefined
              ? { kind: 'regex', value: regex, substitution }
              : null,
  }),
);

const readRedirect: Reader<RouteAction> = map(
  table<{ status: number; scheme: 'http' | 'https'; host: string; port: number; path: string; prefix: string }>({
    status: whole(300, 399),
    scheme: oneOf(['http', 'https']),
    host: text,
    port: whole(1, 65_535),
    path: text,
    prefix: text,
  }),
  ({ status = 301, scheme = null, host = null, port = null, path, prefix }): RouteAction => ({
    kind: 'redirect',
    status,
    scheme,
    host,
    port,
    path:
      path !== undefined
        ? { kind: 'full', value: path }
        : prefix !== undefined
          ? { kind: 'prefix', value: prefix }
          : null,
  }),
);

const readRespond: Reader<RouteAction> = map(
  table<{ status: number; body: string }>({ status: whole(200, 599), body: text }),
  ({ status = 200, body = '' }): RouteAction => ({ kind: 'direct', status, body }),
);

const readFault: Reader<RouteFault> = map(
  table<{
    delay: Partial<{ fixedDelay: number; percentage: number }>;
    abort: Partial<{ httpStatus: number; grpcStatus: number; percentage: number }>;
  }>({
    delay: table({ fixedDelay: duration, percentage: percent }),
    abort: table({ httpStatus: whole(200, 599), grpcStatus: whole(0, 16), percentage: percent }),
  }),
  ({ delay, abort }): RouteFault => ({
    // Without a share nobody is hit, as in Istio.
    delay: delay?.fixedDelay === undefined ? null : { ms: delay.fixedDelay, percent: delay.percentage ?? 0 },
    abort:
      abort === undefined
        ? null
        : { status: abort.httpStatus ?? 200, grpcStatus: abort.grpcStatus ?? null, percent: abort.percentage ?? 0 },
  }),
);

const readMirror: Reader<Mirror> = map(
  table<{ service: string; version: string; percentage: number }>({
    service: text,
    version: text,
    percentage: percent,
  }),
  ({ service = '', version, percentage = 100 }) => ({
    cluster: version === undefined ? service : `${service}/${version}`,
    percent: percentage,
  }),
);

const readCors: Reader<CorsPolicy> = map(
  table<{
    allowOrigins: TextMatch[];
    allowMethods: string[];
    allowHeaders: string[];
    exposeHeaders: string[];
    maxAge: number;
    allowCredentials: boolean;
    unmatchedPreflights: 'FORWARD' | 'IGNORE';
  }>({
    allowOrigins: list(readTextMatch),
    allowMethods: list(text),
    allowHeaders: list(text),
    exposeHeaders: list(text),
    maxAge: duration,
    allowCredentials: flag,
    unmatchedPreflights: oneOf(['FORWARD', 'IGNORE']),
  }),
  (read): CorsPolicy => ({
    allowOrigins: read.allowOrigins ?? [],
    allowMethods: (read.allowMethods ?? []).join(','),
    allowHeaders: (read.allowHeaders ?? []).join(','),
    exposeHeaders: (read.exposeHeaders ?? []).join(','),
    maxAgeSeconds: read.maxAge === undefined ? null : Math.round(read.maxAge / 1000),
    allowCredentials: read.allowCredentials ?? false,
    answerUnmatched: read.unmatchedPreflights === 'IGNORE',
  }),
);

/** What consistent hashing (`balancer: RING_HASH` or `MAGLEV`) goes by. */
const readHash: Reader<HashPolicy> = oneKey<HashPolicy>({
  header: map(text, (name) => ({ kind: 'header', name: name.toLowerCase(), terminal: false })),
  query: map(text, (name) => ({ kind: 'query', name, terminal: false })),
  sourceIp: map(flag, () => ({ kind: 'source-ip', terminal: false })),
  cookie: map(
    table<{ name: string; path: string; ttl: number }>({ name: text, path: text, ttl: duration }),
    ({ name = '', path = '', ttl }): HashPolicy => ({
      kind: 'cookie',
      name,
      path,
      ttlSeconds: ttl === undefined ? null : Math.round(ttl / 1000),
      attributes: [],
      terminal: false,
    }),
  ),
});

interface RouteWords {
  name: string;
  from: string[];
  match: RouteMatch;
  to: WeightedCluster[];
  redirect: RouteAction;
  respond: RouteAction;
  rewrite: Rewrite;
  headers: Partial<HeaderWords>;
  timeout: number | null;
  retries: RetrySettings;
  fault: RouteFault;
  mirrors: Mirror[];
  cors: CorsPolicy;
  hash: HashPolicy[];
}

const readWords = table<RouteWords>({
  name: text,
  from: list(text),
  match: readMatch,
  to: list(readDestination),
  redirect: readRedirect,
  respond: readRespond,
  rewrite: readRewrite,
  headers: readHeaders,
  timeout: limit,
  retries: readRetries,
  fault: readFault,
  mirrors: list(readMirror),
  cors: readCors,
  hash: list(readHash),
});

/** One route; where it goes is said by exactly one of `to`, `redirect` and `respond`. */
export const readRoute: Reader<RouteSettings> = reader(shapeOf(readWords), (view, where, findings) => {
  const read = readWords(view, where, findings) ?? {};
  const { name = where.slice(where.indexOf('routes')), match = EVERYTHING, headers = {}, fault = null } = read;
  const own = read.redirect ?? read.respond;
  const ways = [read.to, read.redirect, read.respond].filter((way) => way !== undefined).length;
  if (ways !== 1) findings.problem(view.source, `${where} must have one of to, redirect, respond`);
  if (read.to !== undefined && read.to.length > 0 && read.to.every(({ weight }) => weight === 0))
    findings.problem(view.source, `${where}.to has no weight above 0`);
  if (read.to?.length === 0) findings.problem(view.source, `${where}.to names no destination`);
  return {
    retries: read.retries ?? null,
    from: read.from ?? [],
    route: {
      name,
      match,
      fault,
      responseFields: headers.response ?? null,
      action: own ?? {
        kind: 'forward',
        clusters: read.to ?? [],
        rewrite: read.rewrite ?? null,
        requestFields: headers.request ?? null,
        cors: read.cors ?? null,
        timeoutMs: read.timeout ?? null,
        retry: null,
        hash: read.hash ?? [],
        mirrors: read.mirrors ?? [],
      },
    },
  };
});
