import { ruleText } from '../../matching/consider.js';
import { conditionsOf } from '../../matching/match.js';

import type { Cluster, EjectionPolicy, OriginatedTls, PoolSettings, Roots } from '../../model/cluster.js';
import type { InboundRoute } from '../../model/inbound-route.js';
import { codesText } from '../../model/retries.js';
import type {
  FieldChanges,
  ForwardAction,
  PathChange,
  RedirectAction,
  RetryPolicy,
  Route,
  RouteFault,
} from '../../model/route.js';

/** What a route does to which requests, as a sentence without its full stop; two that do the same are the same words. */
export function routeWords(route: Route): string {
  return `${matchWords(route)} ${actionWords(route)}${fieldsWords('answers get', route.responseFields)}`;
}

/** What a callee does with which requests, in the same words. */
export function inboundRouteWords(route: InboundRoute): string {
  const { redirect, host, requestFields } = route;
  if (redirect !== null) return `${ruleText(route)}: ${matchWords(route)} ${redirectWords(redirect)}`;
  const shown = host === undefined ? '' : `, as host ${host}`;
  return `${ruleText(route)}: ${matchWords(route)} reach the app${shown}${fieldsWords('with', requestFields)}`;
}

/** `rule 2 of VirtualService default/reviews`, or what the mesh does of its own accord. */
export function ruleName(route: Route): string {
  if (route.origin !== undefined) return ruleText(route);
  return route.name === 'default' ? 'the mesh by itself' : `the route ${route.name}`;
}

function matchWords({ match }: Pick<Route, 'match'>): string {
  const conditions = conditionsOf(match).map(({ wants }) => wants);
  return conditions.length === 0 ? 'all requests' : `requests where ${conditions.map(asFact).join(' and ')}`;
}

const FACTS: Readonly<Record<string, readonly [does: string, doesNot: string]>> = {
  be: ['is', 'is not'],
  'begin with': ['begins with', 'does not begin with'],
  'end with': ['ends with', 'does not end with'],
  contain: ['contains', 'does not contain'],
  match: ['matches', 'does not match'],
};

/** `the path to begin with /v2`, which is what a condition wants, as what holds: `the path begins with /v2`. */
function asFact(wanted: string): string {
  return wanted.replace(
    / (not )?to (be|begin with|end with|contain|match) /,
    (_, not: string | undefined, verb: string) => {
      const [does, doesNot] = FACTS[verb] ?? [verb, verb];
      return ` ${not === undefined ? does : doesNot} `;
    },
  );
}

function actionWords({ action, fault }: Route): string {
  switch (action.kind) {
    case 'direct':
      return `are answered ${action.status} by the sidecar`;
    case 'redirect':
      return redirectWords(action);
    case 'forward':
      return `go ${action.clusters.length > 1 ? '' : 'to '}${destinationWords(action)}${patienceWords(action)}${faultWords(fault)}`;
  }
}

function redirectWords({ status, scheme, host, port, path }: RedirectAction): string {
  const where = [scheme === null ? '' : `${scheme}:`, host ?? '', port === null ? '' : `port ${port}`, pathWords(path)];
  return `are sent elsewhere with ${status} (${where.filter((word) => word !== '').join(' ')})`;
}

function destinationWords({ clusters, rewrite, requestFields, mirrors }: ForwardAction): string {
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  const shares = clusters.map((entry) => {
    const share = clusters.length === 1 || total === 0 ? '' : `${round((entry.weight / total) * 100)} % to `;
    return `${share}${clusterWords(entry.cluster)}${fieldsWords('with', entry.requestFields)}`;
  });
  const changed = [
    rewrite?.host == null ? '' : `, as host ${rewrite.host}`,
    rewrite?.path == null ? '' : `, ${pathWords(rewrite.path)}`,
    fieldsWords('with', requestFields),
    ...mirrors.map(({ cluster, percent }) => `, ${percent} % copied to ${clusterWords(cluster)}`),
  ];
  return (shares.join(' and ') || 'nobody') + changed.join('');
}

function originWords({ cors }: ForwardAction): string {
  return cors === null ? '' : ', with a policy for other origins';
}

function patienceWords(action: ForwardAction): string {
  const { timeoutMs, retry } = action;
  const parts = [
    timeoutMs === null ? '' : `, within ${timeoutMs} ms`,
    retry === null ? ', never retried' : retryWords(retry),
    originWords(action),
  ];
  return parts.join('');
}

function retryWords({ attempts, retryOn, retriableStatusCodes, perTryTimeoutMs }: RetryPolicy): string {
  const on = [...retryOn.filter((word) => word !== 'retriable-status-codes'), ...codesText(retriableStatusCodes)].join(
    ', ',
  );
  const each = perTryTimeoutMs === null ? '' : ` of ${perTryTimeoutMs} ms each`;
  return `, retried up to ${attempts} ${attempts === 1 ? 'time' : 'times'}${each} on ${on || 'nothing'}`;
}

function faultWords(fault: RouteFault | null): string {
  if (fault === null) return '';
  const delay = fault.delay === null ? '' : `, ${fault.delay.percent} % of them after ${fault.delay.ms} ms`;
  const abort = fault.abort === null ? '' : `, ${fault.abort.percent} % of them answered ${fault.abort.status} instead`;
  return delay + abort;
}

function fieldsWords(verb: string, changes: FieldChanges | null): string {
  if (changes === null) return '';
  const names = [
    ...changes.set.map(([name, value]) => `${name}: ${value}`),
    ...changes.add.map(([name, value]) => `one more ${name}: ${value}`),
    ...changes.remove.map((name) => `no ${name}`),
  ];
  return names.length === 0 ? '' : `, ${verb} ${names.join(', ')}`;
}

function pathWords(path: PathChange | null): string {
  if (path === null) return '';
  if (path.kind === 'regex') return `with ${path.value} in the path made ${path.substitution}`;
  return path.kind === 'full' ? `as ${path.value}` : `with ${path.value} for the matched part of the path`;
}

/** `reviews v2` of `outbound|9080|v2|reviews.default.svc.cluster.local`. */
export function clusterWords(name: string): string {
  const [, port = '', subset = '', host = name] = name.split('|');
  return `${host.replace(/\.default\.svc\.cluster\.local$/, '')}:${port}${subset === '' ? '' : ` ${subset}`}`;
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

/** How the endpoints of a cluster are used, part by part; parts that are equal are the same words. */
export function clusterParts(cluster: Cluster): ReadonlyMap<string, string> {
  const { balancing, limits, ejection, retryBudget, connectTimeoutMs, tls, originate, endpoints } = cluster;
  const plain = endpoints.filter((endpoint) => tls === null || !endpoint.tls).map(({ workload }) => workload);
  return new Map([
    [
      'balancing',
      `chosen by ${JSON.stringify(balancing.algorithm.kind)}${balancing.slowStart === null ? '' : ', new ones slowly'}`,
    ],
    ...Object.entries(limits).map(
      ([name, most]) => [name, most === null ? 'without limit' : `at most ${most}`] as const,
    ),
    ['ejection', ejectionWords(ejection)],
    ['retry budget', retryBudget === null ? 'none' : JSON.stringify(retryBudget)],
    ['connect timeout', `${connectTimeoutMs} ms`],
    [
      'encryption',
      endpoints.length === 0 ? 'nobody to speak to' : encryptionWords(mutualWords(plain, endpoints.length), originate),
    ],
    ['endpoints', endpoints.map(({ workload }) => workload).join(', ') || 'none: 503'],
  ]);
}

/** What limits the requests to an app. */
export function poolWords(pool: PoolSettings | undefined): string {
  const said = Object.entries(pool?.limits ?? {}).flatMap(([name, most]) => (most === null ? [] : `${name} ${most}`));
  return said.length === 0 ? 'without limit' : said.join(', ');
}

/** Automatic mTLS decides for each endpoint. */
function mutualWords(plain: readonly string[], all: number): string {
  if (plain.length === all) return 'plaintext';
  return plain.length === 0 ? 'mutual TLS' : `mutual TLS, plaintext to ${plain.join(', ')}`;
}

function encryptionWords(mutual: string, originate: OriginatedTls | undefined): string {
  if (originate === undefined) return mutual;
  const { sni, names, roots, verify, client } = originate;
  const trusted = verify ? trustedWords(roots) : 'anybody';
  const named = names.length > 0 ? `, as ${names.join(' or ')}` : '';
  const proving = client === null ? '' : `, with the certificate ${client.certificate}`;
  return `TLS to ${trusted}${named}, SNI ${sni ?? 'as the request names it'}${proving}`;
}

function trustedWords(roots: Roots): string {
  switch (roots.kind) {
    case 'system':
      return 'who is trusted by the system';
    case 'file':
      return `who is trusted by ${roots.path}`;
    case 'certificates':
      return `who is trusted by ${roots.from}`;
    case 'none':
      return `nobody (${roots.why})`;
  }
}

function ejectionWords(ejection: EjectionPolicy | null): string {
  if (ejection === null) return 'nobody is put aside';
  if (ejection.kind === 'outlier')
    return `put aside after ${ejection.consecutive5xx} failures in a row, ${ejection.baseEjectionMs / 1_000} s and longer, at most ${ejection.maxEjectionPercent} %`;
  return `put aside as Linkerd does (${ejection.kind})`;
}
