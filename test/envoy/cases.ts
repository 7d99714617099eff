import { CLUSTER_DEFAULTS, type Cluster, ENDPOINT_DEFAULTS, OUTLIER_DEFAULTS } from '../../src/model/cluster.js';
import {
  type FieldChanges,
  type FieldMatch,
  type ForwardAction,
  type PathChange,
  type PathMatch,
  type QueryMatch,
  RETRY_CONDITIONS,
  type RetryPolicy,
  type Route,
  type RouteAction,
  type RouteMatch,
  type TextMatch,
  type WeightedCluster,
} from '../../src/model/route.js';
import type { VirtualHost } from '../../src/model/sidecar-config.js';
import type { Chance } from '../support/chance.js';
import { type Ask, PORT, type Step } from './stage.js';

/** One configuration and what is asked of it. Names carry the case's number, so that many stand in one configuration. */
export interface Case {
  readonly kind: string;
  readonly virtualHosts: readonly VirtualHost[];
  readonly clusters: readonly Cluster[];
  readonly asks: readonly Ask[];
  /** How its answers are compared. */
  readonly compare: 'each' | 'hosts-of-hash' | 'counts' | 'shares';
  /** All of them at once, behind the first; or one after the other. */
  readonly concurrent: boolean;
  /** Between two, ms, over and over: Envoy’s main thread hears of failures a moment later. */
  readonly pausesMs?: readonly number[];
}

export interface Draw {
  readonly chance: Chance;
  /** Number of the case. */
  readonly n: number;
  readonly ports: readonly number[];
}

type Maker = (draw: Draw) => Case;

/** What is drawn, and how often out of a hundred cases. */
export const KINDS: readonly (readonly [maker: Maker, share: number])[] = [
  [matching, 30],
  [hosts, 6],
  [paths, 6],
  [rewriting, 16],
  [redirects, 8],
  [retries, 20],
  [faults, 4],
  [cors, 5],
  [hashing, 4],
  [ejection, 2],
  [limits, 1],
  [mirrors, 2],
  [shares, 1],
  [timeouts, 1],
];

const maybe = (chance: Chance, percent: number): boolean => chance.below(100) < percent;
const some = <T>(chance: Chance, most: number, make: () => T): T[] =>
  Array.from({ length: chance.below(most + 1) }, make);

function clusterOf(
  { n, ports }: Draw,
  name: string,
  backends: readonly number[],
  more: Partial<Cluster> = {},
): Cluster {
  return {
    ...CLUSTER_DEFAULTS,
    name: `c${n}-${name}`,
    service: name,
    subset: '',
    port: PORT,
    protocol: 'http',
    connectTimeoutMs: 1_000,
    endpoints: backends.map((i) => ({
      ...ENDPOINT_DEFAULTS,
      address: '127.0.0.1',
      port: ports[i] as number,
      workload: `b${i}`,
      version: 'v1',
    })),
    ...more,
  };
}

const hostName = ({ n }: Draw): string => `c${n}.test`;
const hostOf = (draw: Draw, routes: readonly Route[]): VirtualHost => ({
  name: hostName(draw),
  port: PORT,
  domains: [hostName(draw)],
  routes,
});

function ask(draw: Draw, more: Partial<Ask> = {}): Ask {
  return {
    method: 'GET',
    target: '/',
    host: `${hostName(draw)}:${PORT}`,
    headers: [],
    body: '',
    script: [200],
    hits: 0,
    ...more,
  };
}

const to = ({ n }: Draw, name: string, more: Partial<WeightedCluster> = {}): WeightedCluster => ({
  cluster: `c${n}-${name}`,
  weight: 1,
  requestFields: null,
  responseFields: null,
  ...more,
});

const forward = (clusters: readonly WeightedCluster[], more: Partial<ForwardAction> = {}): ForwardAction => ({
  kind: 'forward',
  clusters,
  rewrite: null,
  requestFields: null,
  cors: null,
  timeoutMs: null,
  retry: null,
  hash: [],
  mirrors: [],
  ...more,
});

const anything: RouteMatch = {
  path: { kind: 'prefix', value: '/', ignoreCase: false },
  methods: [],
  fields: [],
  query: [],
};

const route = (name: string, match: RouteMatch, action: RouteAction, more: Partial<Route> = {}): Route => ({
  name,
  match,
  action,
  responseFields: null,
  fault: null,
  ...more,
});

const PATHS = ['/', '/a', '/a/', '/a/b', '/ab', '/A', '/a/b/c', '/b', '/b/a', '/a.b', '/a-b', '/aa/b'];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const VALUES = ['jason', 'Jason', 'jas', 'jasons', '', 'a,b', 'x y'];
const FIELDS = ['x-c-user', 'x-c-mode'];
const QUERIES = ['', '?x=1', '?x=2&y=1', '?y=', '?x', '?x=1&x=2', '?X=1', '?x=%31', '?y=jason'];

function drawTarget(chance: Chance): string {
  return chance.of(PATHS) + chance.of(QUERIES);
}

function drawText(chance: Chance, values: readonly string[]): TextMatch {
  const value = chance.of(values.filter((text) => text !== ''));
  switch (chance.below(6)) {
    case 0:
      return { kind: 'prefix', value: value.slice(0, 2) };
    case 1:
      return { kind: 'suffix', value: value.slice(-2) };
    case 2:
      return { kind: 'contains', value: value.length > 2 ? value.slice(1, 3) : value };
    case 3:
      return { kind: 'regex', value: chance.of([`${value.slice(0, 2)}.*`, '[a-z]+', '.*', 'jaso?n', '(?:a|x).*']) };
    case 4:
      return { kind: 'present', value: '' };
    default:
      return { kind: 'exact', value };
  }
}

function drawField(chance: Chance): FieldMatch {
  const text = drawText(chance, VALUES);
  const name = maybe(chance, 8) ? ':method' : chance.of(FIELDS);
  return { ...text, name, invert: maybe(chance, 25), missingAsEmpty: text.kind !== 'present' && maybe(chance, 20) };
}

function drawPath(chance: Chance): PathMatch {
  const value = chance.of(PATHS);
  const ignoreCase = maybe(chance, 15);
  switch (chance.below(5)) {
    case 0:
      return { kind: 'exact', value, ignoreCase };
    case 1:
      return {
        kind: 'regex',
        value: chance.of(['/a.*', '/[ab]/?.*', `${value}`, '.*', '/a/[^/]+', '/(a|b)(/.*)?']),
        ignoreCase,
      };
    case 2:
      // A slash at the end is refused by Envoy.
      return { kind: 'segments', value: value === '/' ? value : value.replace(/\/$/, ''), ignoreCase };
    default:
      return { kind: 'prefix', value, ignoreCase };
  }
}

function drawMatch(chance: Chance): RouteMatch {
  const query = some(
    chance,
    1,
    (): QueryMatch => ({ ...drawText(chance, ['1', '2', 'jason']), name: chance.of(['x', 'y']) }),
  );
  return {
    path: drawPath(chance),
    methods: maybe(chance, 20) ? [chance.of(METHODS), chance.of(METHODS)] : [],
    fields: some(chance, 2, () => drawField(chance)),
    query: maybe(chance, 25) ? query : [],
  };
}

function drawHeaders(chance: Chance): [string, string][] {
  return some(chance, 3, () => [chance.of(FIELDS), chance.of(VALUES)]);
}

function drawAsk(draw: Draw, more: Partial<Ask> = {}): Ask {
  const { chance } = draw;
  const method = maybe(chance, 60) ? 'GET' : chance.of(METHODS);
  const body = method === 'POST' || method === 'PUT' ? chance.of(['', 'body', 'x'.repeat(3_000)]) : '';
  return ask(draw, { method, target: drawTarget(chance), headers: drawHeaders(chance), body, ...more });
}

function matching(draw: Draw): Case {
  const { chance } = draw;
  const names = ['p', 'q', 'r', 's'];
  const routes = [0, ...some(chance, 5, () => 0)].map((_, i) =>
    route(`r${i}`, drawMatch(chance), forward([to(draw, names[i % 4] as string)])),
  );
  return {
    kind: 'matching',
    virtualHosts: [hostOf(draw, routes)],
    clusters: names.map((name, i) => clusterOf(draw, name, [i])),
    asks: Array.from({ length: 10 }, () => drawAsk(draw)),
    compare: 'each',
    concurrent: false,
  };
}

function hosts(draw: Draw): Case {
  const { chance } = draw;
  const base = `c${draw.n}.test`;
  const domains = [base, `*.${base}`, `www.${base}`, `*.www.${base}`, `*-x.${base}`];
  const wanted = domains.filter(() => maybe(chance, 60));
  const virtualHosts = wanted.map(
    (domain, i): VirtualHost => ({
      name: `h${draw.n}-${i}`,
      port: PORT,
      domains: [domain],
      routes: [route(`to ${i}`, anything, forward([to(draw, `h${i}`)]))],
    }),
  );
  const names = [
    base,
    `www.${base}`,
    `a.${base}`,
    `a.www.${base}`,
    `b-x.${base}`,
    `a.b.${base}`,
    `x${base}`,
    base.toUpperCase(),
  ];
  const port = (): string => chance.of(['', `:${PORT}`, ':80', ':1234']);
  return {
    kind: 'hosts',
    virtualHosts,
    clusters: wanted.map((_, i) => clusterOf(draw, `h${i}`, [i])),
    asks: names.map((name) => ask(draw, { host: name + port() })),
    compare: 'each',
    concurrent: false,
  };
}

const CHANGED = ['x-c-one', 'x-c-two', 'x-c-user'];

const ODD = [
  'a',
  'b',
  '.',
  '..',
  '',
  '%2e',
  '%2E%2e',
  'a%2Fb',
  '%5cb',
  '%7e',
  '%41',
  '%20',
  'a;x',
  '..;',
  '%252e',
  '%c3%a9',
  '~',
  '%',
  '%zz',
  '%00',
];

/** Paths of odd segments: what is matched and what is forwarded is one canonical path. */
function paths(draw: Draw): Case {
  const { chance } = draw;
  const target = (): string => {
    const segments = Array.from({ length: 1 + chance.below(4) }, () => (maybe(chance, 55) ? 'a' : chance.of(ODD)));
    return `/${segments.join('/')}${chance.of(['', '', '?x=/../y'])}`;
  };
  const routes = [
    route('a', { ...anything, path: { kind: 'prefix', value: '/a/b', ignoreCase: false } }, forward([to(draw, 'p')])),
    route('rest', anything, forward([to(draw, 'q')])),
  ];
  return {
    kind: 'paths',
    virtualHosts: [hostOf(draw, routes)],
    clusters: [clusterOf(draw, 'p', [0]), clusterOf(draw, 'q', [1])],
    asks: Array.from({ length: 10 }, () => ask(draw, { target: target() })),
    compare: 'each',
    concurrent: false,
  };
}

function drawChanges(chance: Chance): FieldChanges | null {
  if (maybe(chance, 35)) return null;
  const pairs = (): (readonly [string, string])[] =>
    some(chance, 2, () => [chance.of(CHANGED), chance.of(['v1', 'v2', 'a b'])]);
  // The same name twice among those that are set depends on the order within Envoy's one list.
  const set = pairs().filter(([name], i, all) => all.findIndex(([other]) => other === name) === i);
  return { remove: some(chance, 1, () => chance.of(CHANGED)), set, add: pairs() };
}

function rewriting(draw: Draw): Case {
  const { chance } = draw;
  const match: RouteMatch = { ...anything, path: drawPath(chance) };
  // Envoy refuses to rewrite a prefix of an expression.
  const ofPrefix = match.path.kind === 'prefix' || match.path.kind === 'exact';
  const changes: PathChange[] = [
    {
      kind: 'regex',
      value: chance.of(['a', '/([^/]+)', '^/a', 'b$', '[0-9]+']),
      substitution: chance.of(['z', '/\\1x', '']),
    },
    { kind: 'full', value: chance.of(['/whole', '/']) },
  ];
  if (ofPrefix) changes.push({ kind: 'prefix', value: chance.of(['/new', '/new/', '/', '/a/b']) });
  const path = maybe(chance, 60) ? chance.of(changes) : null;
  const host = maybe(chance, 30) ? chance.of(['new.test', 'other.test:1']) : null;
  const weighted = (name: string): WeightedCluster =>
    to(draw, name, { requestFields: drawChanges(chance), responseFields: drawChanges(chance) });
  const routes = [
    route(
      'changed',
      match,
      forward([weighted('p')], {
        rewrite: path === null && host === null ? null : { path, host },
        requestFields: drawChanges(chance),
      }),
      { responseFields: drawChanges(chance) },
    ),
    route('rest', anything, forward([to(draw, 'q')])),
  ];
  const fields = { 'x-c-one': 'app', 'x-c-user': 'app' };
  return {
    kind: 'rewriting',
    virtualHosts: [hostOf(draw, routes)],
    clusters: [clusterOf(draw, 'p', [0]), clusterOf(draw, 'q', [1])],
    asks: Array.from({ length: 8 }, () => drawAsk(draw, { script: [{ status: chance.of([200, 404, 503]), fields }] })),
    compare: 'each',
    concurrent: false,
  };
}

function redirects(draw: Draw): Case {
  const { chance } = draw;
  const match: RouteMatch = { ...anything, path: drawPath(chance) };
  const ofPrefix = match.path.kind === 'prefix' || match.path.kind === 'exact';
  const paths: PathChange[] = [{ kind: 'full', value: chance.of(['/new', '/new?own=1', '/']) }];
  if (ofPrefix) paths.push({ kind: 'prefix', value: chance.of(['/new', '/new/', '/']) });
  const redirect: RouteAction = {
    kind: 'redirect',
    status: chance.of([301, 302, 303, 307, 308]),
    scheme: maybe(chance, 25) ? chance.of(['http', 'https'] as const) : null,
    host: maybe(chance, 40) ? chance.of(['new.test', 'other.test']) : null,
    port: maybe(chance, 25) ? chance.of([80, 443, 8080]) : null,
    path: maybe(chance, 60) ? chance.of(paths) : null,
  };
  const status = chance.of([200, 204, 403, 404, 418, 503]);
  const direct: RouteAction = {
    kind: 'direct',
    status,
    // Envoy sends the body of a 204 as it is told, which is no HTTP any more.
    body: status === 204 ? '' : chance.of(['', 'said by the proxy', '{"a": 1}']),
  };
  const action = maybe(chance, 65) ? redirect : direct;
  const more = { responseFields: drawChanges(chance) };
  return {
    kind: action.kind,
    virtualHosts: [
      hostOf(draw, [route('own', match, action, more), route('rest', anything, forward([to(draw, 'q')]))]),
    ],
    clusters: [clusterOf(draw, 'q', [1])],
    asks: Array.from({ length: 6 }, () => drawAsk(draw)),
    compare: 'each',
    concurrent: false,
  };
}

function drawRetry(chance: Chance): RetryPolicy {
  const words = RETRY_CONDITIONS.filter(() => maybe(chance, 20));
  return {
    attempts: 1 + chance.below(3),
    retryOn: words.length === 0 ? ['5xx'] : words,
    retriableStatusCodes: some(chance, 2, () => chance.of([404, 409, 418, 429, 500, 503])),
    retriableHeaders: maybe(chance, 30)
      ? [{ kind: 'exact', name: 'x-c-again', value: 'yes', invert: false, missingAsEmpty: false }]
      : [],
    perTryTimeoutMs: maybe(chance, 15) ? 150 : null,
    backoffBaseMs: 1,
    backoffMaxMs: 2,
    retryAfterMaxMs: null,
    avoidTriedHosts: maybe(chance, 70),
    nonIdempotent: 'always',
    origin: 'the test',
  };
}

function retries(draw: Draw): Case {
  const { chance } = draw;
  const retry = drawRetry(chance);
  const step = (): Step =>
    chance.of<Step>([
      200,
      200,
      404,
      409,
      418,
      429,
      500,
      501,
      502,
      503,
      503,
      504,
      'reset',
      { status: 200, fields: { 'grpc-status': chance.of(['0', '1', '4', '8', '13', '14']) } },
      { status: 503, fields: { 'x-c-again': chance.of(['yes', 'no']) } },
      { status: chance.of([429, 503]), fields: { 'x-envoy-ratelimited': 'true' } },
      ...(retry.perTryTimeoutMs === null ? [] : (['hang'] as const)),
    ]);
  const limits = maybe(chance, 10) ? { ...CLUSTER_DEFAULTS.limits, maxRetries: 0 } : CLUSTER_DEFAULTS.limits;
  // One endpoint, so that which one a retry meets is no chance.
  return {
    kind: 'retries',
    virtualHosts: [hostOf(draw, [route('all', anything, forward([to(draw, 'p')], { retry }))])],
    clusters: [clusterOf(draw, 'p', [chance.below(4)], { limits })],
    asks: Array.from({ length: 6 }, () => drawAsk(draw, { target: '/', script: [step(), step(), step(), step()] })),
    compare: 'each',
    concurrent: false,
  };
}

function faults(draw: Draw): Case {
  const { chance } = draw;
  const share = (): number => chance.of([0, 100]);
  const fault = {
    delay: maybe(chance, 40) ? { ms: 5, percent: share() } : null,
    abort: maybe(chance, 70)
      ? maybe(chance, 75)
        ? { status: chance.of([400, 404, 418, 429, 500, 503, 555]), grpcStatus: null, percent: share() }
        : { status: 200, grpcStatus: chance.of([1, 7, 14]), percent: share() }
      : null,
  };
  const retry = maybe(chance, 50) ? drawRetry(chance) : null;
  const grpc: [string, string][] = [['content-type', 'application/grpc']];
  return {
    kind: 'faults',
    virtualHosts: [
      hostOf(draw, [
        route('faulty', { ...anything, path: drawPath(chance) }, forward([to(draw, 'p')], { retry }), {
          fault,
          responseFields: drawChanges(chance),
        }),
        route('rest', anything, forward([to(draw, 'q')])),
      ]),
    ],
    clusters: [clusterOf(draw, 'p', [0]), clusterOf(draw, 'q', [1])],
    asks: Array.from({ length: 6 }, () =>
      drawAsk(draw, maybe(chance, 25) ? { headers: grpc, method: 'POST', body: 'x' } : {}),
    ),
    compare: 'each',
    concurrent: false,
  };
}

function cors(draw: Draw): Case {
  const { chance } = draw;
  const origins = ['https://a.test', 'https://b.test', 'http://a.test'];
  const policy = {
    allowOrigins: some(chance, 2, (): TextMatch => {
      const value = chance.of(origins);
      return chance.of<TextMatch>([
        { kind: 'exact', value },
        { kind: 'exact', value: '*' },
        { kind: 'prefix', value: 'https://' },
        { kind: 'regex', value: 'https?://[ab]\\.test' },
      ]);
    }),
    allowMethods: chance.of(['', 'GET,POST']),
    allowHeaders: chance.of(['', 'x-a,x-b']),
    exposeHeaders: chance.of(['', 'x-c']),
    maxAgeSeconds: chance.of([null, 60]),
    allowCredentials: maybe(chance, 50),
    answerUnmatched: maybe(chance, 50),
  };
  const asks = Array.from({ length: 8 }, () => {
    const headers: [string, string][] = [];
    if (maybe(chance, 85)) headers.push(['origin', chance.of([...origins, 'null', 'https://c.test'])]);
    const preflight = maybe(chance, 50);
    if (preflight && maybe(chance, 85)) headers.push(['access-control-request-method', chance.of(['GET', 'DELETE'])]);
    const fields = maybe(chance, 30)
      ? { 'access-control-allow-origin': 'app', 'access-control-expose-headers': 'app' }
      : {};
    return ask(draw, { method: preflight ? 'OPTIONS' : 'GET', headers, script: [{ status: 200, fields }] });
  });
  return {
    kind: 'cors',
    virtualHosts: [hostOf(draw, [route('shared', anything, forward([to(draw, 'p')], { cors: policy }))])],
    clusters: [clusterOf(draw, 'p', [0])],
    asks,
    compare: 'each',
    concurrent: false,
  };
}

function hashing(draw: Draw): Case {
  const { chance } = draw;
  const algorithm = maybe(chance, 50)
    ? ({ kind: 'ring-hash', minimumRingSize: chance.of([16, 128, 1_024]), maximumRingSize: 8_388_608 } as const)
    : ({ kind: 'maglev', tableSize: chance.of([251, 65_537]) } as const);
  const header = { kind: 'header', name: 'x-c-user', terminal: maybe(chance, 30) } as const;
  const query = { kind: 'query', name: 'x', terminal: false } as const;
  const cookie = { kind: 'cookie', name: 'id', path: '', ttlSeconds: null, attributes: [], terminal: false } as const;
  const hash = chance.of([[header], [query], [cookie], [header, query], [query, cookie, header]]);
  const endpoints = [0, 1, 2, 3, 4, 5].filter(() => maybe(chance, 70));
  const balancing = { ...CLUSTER_DEFAULTS.balancing, algorithm };
  const asks = Array.from({ length: 25 }, (_, i) =>
    ask(draw, {
      target: `/?x=${chance.below(1_000)}`,
      headers: [
        ['x-c-user', `user ${i * 7919}`],
        ['cookie', `other=1; id=${maybe(chance, 50) ? `"c${i}"` : `c${i}`}`],
      ],
    }),
  );
  return {
    kind: algorithm.kind,
    virtualHosts: [hostOf(draw, [route('sticky', anything, forward([to(draw, 'p')], { hash }))])],
    clusters: [clusterOf(draw, 'p', endpoints.length === 0 ? [0] : endpoints, { balancing })],
    asks,
    compare: 'hosts-of-hash',
    concurrent: false,
  };
}

/** Endpoints that fail until they are put aside: how many requests reach them is what is compared. */
function ejection(draw: Draw): Case {
  const { chance } = draw;
  const endpoints = [[0], [0, 1], [0, 1, 2]][chance.below(3)] as number[];
  const policy = {
    ...OUTLIER_DEFAULTS,
    consecutive5xx: chance.of([0, 1, 2, 3, 5]),
    consecutiveGatewayErrors: chance.of([0, 1, 2, 4]),
    splitLocalOriginErrors: maybe(chance, 30),
    consecutiveLocalOriginFailures: chance.of([1, 3]),
    maxEjectionPercent: chance.of([10, 33, 34, 50, 100]),
  };
  const step = chance.of<Step>([500, 502, 503, 504, 'reset']);
  const balancing = { ...CLUSTER_DEFAULTS.balancing, algorithm: { kind: 'round-robin' } as const };
  return {
    kind: 'ejection',
    virtualHosts: [hostOf(draw, [route('all', anything, forward([to(draw, 'p')]))])],
    clusters: [clusterOf(draw, 'p', endpoints, { ejection: policy, balancing })],
    asks: Array.from({ length: 20 }, () => ask(draw, { script: [step] })),
    compare: 'counts',
    concurrent: false,
    // What happens within a second of an ejection is news a second later: the asks keep clear of that moment.
    pausesMs: [...Array.from({ length: 7 }, () => 40), 1_300],
  };
}

function limits(draw: Draw): Case {
  const { chance } = draw;
  const most = 1 + chance.below(4);
  // One connection, open already: how fast more of them come about is nobody's promise.
  const bounded = maybe(chance, 50) ? { maxRequests: most } : { maxConnections: 1, maxPendingRequests: most };
  const script: Step[] = [{ status: 200, fields: { connection: 'keep-alive' }, delayMs: 300 }];
  return {
    kind: 'limits',
    virtualHosts: [hostOf(draw, [route('all', anything, forward([to(draw, 'p')]))])],
    clusters: [clusterOf(draw, 'p', [chance.below(4)], { limits: { ...CLUSTER_DEFAULTS.limits, ...bounded } })],
    asks: Array.from({ length: 8 }, () => ask(draw, { script })),
    compare: 'counts',
    concurrent: true,
  };
}

function mirrors(draw: Draw): Case {
  const { chance } = draw;
  const copies = some(chance, 2, () => ({
    cluster: `c${draw.n}-${chance.of(['q', 'r', 'p'])}`,
    percent: chance.of([0, 100]),
  }));
  const action = forward([to(draw, 'p')], {
    mirrors: copies,
    rewrite: maybe(chance, 40) ? { host: 'new.test', path: { kind: 'prefix', value: '/new' } } : null,
    requestFields: drawChanges(chance),
  });
  return {
    kind: 'mirrors',
    virtualHosts: [
      hostOf(draw, [
        route('copied', { ...anything, path: { kind: 'prefix', value: '/a', ignoreCase: false } }, action),
      ]),
    ],
    clusters: ['p', 'q', 'r'].map((name, i) => clusterOf(draw, name, [i])),
    asks: Array.from({ length: 5 }, () =>
      drawAsk(draw, {
        target: chance.of(['/a', '/a/b?x=1']),
        hits: 1 + copies.filter(({ percent }) => percent === 100).length,
      }),
    ),
    compare: 'each',
    concurrent: false,
  };
}

function shares(draw: Draw): Case {
  const { chance } = draw;
  const clusters = ['p', 'q', 'r'].map((name) => to(draw, name, { weight: chance.below(5) }));
  const weighted = clusters.some(({ weight }) => weight > 0) ? clusters : [to(draw, 'p')];
  return {
    kind: 'shares',
    virtualHosts: [hostOf(draw, [route('split', anything, forward(weighted))])],
    clusters: ['p', 'q', 'r'].map((name, i) => clusterOf(draw, name, [i])),
    asks: Array.from({ length: 200 }, () => ask(draw)),
    compare: 'shares',
    concurrent: false,
  };
}

function timeouts(draw: Draw): Case {
  const { chance } = draw;
  const late = (delayMs: number): Step => ({ status: 200, fields: {}, delayMs });
  const retry = maybe(chance, 50) ? { ...drawRetry(chance), perTryTimeoutMs: chance.of([null, 80]) } : null;
  const action = forward([to(draw, 'p')], { timeoutMs: chance.of([null, 200]), retry });
  const script = (): Step[] => [chance.of<Step>([200, late(130), late(400)]), 200];
  return {
    kind: 'timeouts',
    virtualHosts: [hostOf(draw, [route('all', anything, action)])],
    clusters: [clusterOf(draw, 'p', [chance.below(4)])],
    asks: Array.from({ length: 4 }, () => ask(draw, { script: script() })),
    compare: 'each',
    concurrent: true,
  };
}
