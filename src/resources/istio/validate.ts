import { READING } from '../../model/finding.js';
import { RETRY_CONDITIONS } from '../../model/route.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { type Refuse, refuser } from '../refuse.js';
import type { Report, Resource } from '../resource.js';
import { checkExports } from './check-exports.js';
import { grpcStatusOf } from './grpc-status.js';
import type {
  Destination,
  HttpMatch,
  HttpRoute,
  Retries,
  TcpRoute,
  TlsRoute,
  VirtualService,
} from './virtual-service.js';

/**
 * What Istio's admission refuses (pkg/config/validation, as far as its rules are known and observed): such a resource
 * never comes into force in a cluster, so it does not here.
 */
export function checkVirtualService(resource: Resource<VirtualService>, report: Report): void {
  const { hosts = [], gateways, http, tcp, tls, exportTo } = resource.spec;
  const refuse = refuser(report);
  if (hosts.length === 0 && http === undefined) refuse(null, 'it has neither hosts nor http rules', 'hosts: [reviews]');
  if (hosts.length === 0 && gateways !== undefined)
    refuse(null, 'a VirtualService without hosts is a delegate, and a delegate has no gateways');
  if (hosts.length > 0 && (http ?? []).length + (tcp ?? []).length + (tls ?? []).length === 0)
    refuse(null, 'it has no http, tls or tcp rule', 'http: [ { route: [ { destination: { host: reviews } } ] } ]');
  for (const [i, host] of hosts.entries())
    if (hosts.indexOf(host) !== i) refuse(sourceOf(hosts, i), `the host ${host} stands twice`);
  if (hosts.includes('*') && (gateways === undefined || gateways.includes('mesh')))
    refuse(null, 'the host * is for gateways: sidecars take no wildcard for everything', 'gateways: [ … ]');
  checkExports(exportTo, refuse);
  for (const [i, host] of hosts.entries()) checkHost(host, sourceOf(hosts, i), refuse);
  for (const rule of http ?? []) checkRule(rule, hosts.length === 0, refuse);
  for (const rule of http ?? [])
    if (rule.corsPolicy !== undefined && (rule.redirect ?? rule.directResponse) !== undefined)
      report(
        READING.unsupportedField,
        'warning',
        sourceOf(rule, 'corsPolicy'),
        `corsPolicy has no effect beside ${rule.redirect === undefined ? 'directResponse' : 'redirect'} (Envoy)`,
        'headers: { response: { set: { access-control-allow-origin: … } } }',
      );
  for (const rule of [...(tcp ?? []), ...(tls ?? [])]) checkStream(rule, refuse);
  for (const rule of tls ?? []) checkNames(rule, hosts, refuse);
  if (gateways === undefined || gateways.includes('mesh')) checkClaims(resource.spec, refuse);
  else
    checkClaims(resource.spec, (where, message) =>
      report(
        READING.unsupportedField,
        'warning',
        where,
        `${message.split(':')[0]} is not obeyed: routes do not look at tokens`,
      ),
    );
}

/** `*.example.com` is the one place of a wildcard. */
function checkHost(host: string, at: SourceRef, refuse: Refuse): void {
  if (!/^(?:\*|(?:\*\.)?[^*\s]+)$/.test(host))
    refuse(at, `${JSON.stringify(host)} is no host`, 'a name, or *.example.com');
}

/** What is said of connections. */
function checkStream(rule: TcpRoute | TlsRoute, refuse: Refuse): void {
  const { route = [] } = rule;
  if (route.length === 0)
    refuse(sourceOf(rule), 'the rule leads nowhere', 'route: [ { destination: { host: reviews } } ]');
  checkWeights({ route }, refuse);
  for (const { destination } of route) checkDestination(destination, refuse);
}

function checkNames(rule: TlsRoute, hosts: readonly string[], refuse: Refuse): void {
  if ((rule.match ?? []).length === 0)
    refuse(sourceOf(rule), 'a tls rule says which names it is about', 'match: [ { sniHosts: [ … ] } ]');
  for (const { sniHosts } of rule.match ?? [])
    for (const [i, name] of sniHosts.entries())
      if (
        !hosts.some((host) => host === '*' || host === name || (host.startsWith('*') && name.endsWith(host.slice(1))))
      )
        refuse(sourceOf(sniHosts, i), `the name ${name} is none of the hosts`, `hosts: ${hosts.join(', ')}`);
}

/** Claims of tokens are looked at by gateways only. */
function checkClaims({ http = [] }: VirtualService, refuse: Refuse): void {
  for (const { match = [] } of http)
    for (const { headers = {} } of match)
      for (const name of Object.keys(headers))
        if (isClaim(name))
          refuse(
            sourceOf(headers, name),
            `${name}: routes by claims are for gateways only`,
            'gateways: [ … ] without mesh',
          );
}

function isClaim(name: string): boolean {
  return name.startsWith('@request.auth.claims');
}

function checkDestination({ host, subset }: Destination & object, refuse: Refuse, at: SourceRef | null = null): void {
  if (host === '*') refuse(at, 'the destination * is nowhere', 'host: reviews');
  if (subset !== undefined && !/^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(subset))
    refuse(at, `${JSON.stringify(subset)} is no name of a subset`, 'letters, digits and dashes');
}

/** Fields of a rule that cannot stand side by side. */
const EXCLUSIVE: readonly (readonly [keyof HttpRoute, keyof HttpRoute])[] = [
  ['route', 'redirect'],
  ['route', 'directResponse'],
  ['redirect', 'directResponse'],
  ['fault', 'redirect'],
  ['fault', 'directResponse'],
  ['rewrite', 'redirect'],
  ['rewrite', 'directResponse'],
  ['mirror', 'mirrors'],
  ['route', 'delegate'],
];

function checkRule(rule: HttpRoute, isDelegate: boolean, refuse: Refuse): void {
  const at = (field: keyof HttpRoute & string): SourceRef => sourceOf(rule, field);
  for (const [a, b] of EXCLUSIVE)
    if (rule[a] !== undefined && rule[b] !== undefined && !(a === 'route' && rule.route?.length === 0))
      refuse(at(b), `a rule has ${a} or ${b}, not both`);
  if (isDelegate && rule.delegate !== undefined) refuse(at('delegate'), 'a delegate cannot delegate again');
  const acts =
    (rule.route ?? []).length > 0 ||
    rule.redirect !== undefined ||
    rule.directResponse !== undefined ||
    rule.delegate !== undefined;
  if (!acts) refuse(sourceOf(rule), 'the rule leads nowhere', 'route: [ { destination: { host: reviews } } ]');
  checkWeights(rule, refuse);
  for (const { destination } of rule.route ?? []) checkDestination(destination, refuse, sourceOf(destination));
  checkMatches(rule.match ?? [], refuse);
  checkRedirect(rule, refuse);
  checkDirectResponse(rule, refuse);
  checkRewrite(rule, refuse);
  if (rule.retries !== undefined) checkRetries(rule.retries, refuse);
  if (rule.timeout !== undefined && rule.timeout < 1)
    refuse(at('timeout'), 'timeout must be at least 1ms', 'leave it out: without it there is none');
  checkFault(rule, refuse);
  checkMirrors(rule, refuse);
}

function checkWeights({ route = [] }: Pick<HttpRoute | TcpRoute, 'route'>, refuse: Refuse): void {
  for (const entry of route) {
    if ((entry.weight ?? 0) < 0) refuse(sourceOf(entry, 'weight'), 'a weight cannot be negative');
    else if (!Number.isInteger(entry.weight ?? 0)) refuse(sourceOf(entry, 'weight'), 'a weight is a whole number');
  }
  const total = route.reduce((sum, { weight = 0 }) => sum + weight, 0);
  if (route.length > 1 && total === 0)
    refuse(sourceOf(route), 'total destination weight = 0', 'weight: 50 at each of them');
}

function checkMatches(matches: readonly HttpMatch[], refuse: Refuse): void {
  for (const match of matches)
    for (const [name, test] of [...Object.entries(match.headers ?? {}), ...Object.entries(match.queryParams ?? {})]) {
      if (name === '') refuse(sourceOf(match), 'a name is empty');
      if (test.regex === '') refuse(sourceOf(test, 'regex'), 'an expression is empty');
      if (/\s/.test(name)) refuse(sourceOf(match), `${JSON.stringify(name)} is no name of a header`);
    }
}

function checkRedirect({ redirect, match = [] }: HttpRoute, refuse: Refuse): void {
  if (redirect === undefined) return;
  const { uri, prefixRewrite, authority, scheme, port, derivePort, redirectCode } = redirect;
  const at = sourceOf(redirect);
  if ([uri, prefixRewrite, authority, scheme, port, derivePort].every((value) => value === undefined))
    refuse(at, 'a redirect changes at least one of uri, authority, scheme and port');
  if (uri !== undefined && prefixRewrite !== undefined) refuse(at, 'a redirect has uri or prefixRewrite, not both');
  if (port !== undefined && derivePort !== undefined) refuse(at, 'a redirect has port or derivePort, not both');
  if (redirectCode !== undefined && redirectCode !== 0 && (redirectCode < 300 || redirectCode > 399))
    refuse(
      sourceOf(redirect, 'redirectCode'),
      `redirectCode ${redirectCode} is no redirection`,
      '301, 302, 303, 307 or 308',
    );
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    refuse(sourceOf(redirect, 'scheme'), 'scheme must be http or https');
  if (prefixRewrite !== undefined && match.some((entry) => entry.uri?.prefix === undefined))
    refuse(sourceOf(redirect, 'prefixRewrite'), 'prefixRewrite needs a uri prefix in every match');
}

function checkDirectResponse({ directResponse }: HttpRoute, refuse: Refuse): void {
  if (directResponse === undefined) return;
  const { status, body } = directResponse;
  if (status < 200 || status > 599)
    refuse(sourceOf(directResponse, 'status'), `directResponse cannot answer ${status}`, '200 to 599');
  if (body !== undefined && Buffer.byteLength(body.string ?? body.bytes ?? '') > 1024 * 1024)
    refuse(sourceOf(directResponse, 'body'), 'the body is larger than 1 MiB');
}

function checkRewrite({ rewrite }: HttpRoute, refuse: Refuse): void {
  if (rewrite === undefined) return;
  const { uri, authority, uriRegexRewrite } = rewrite;
  const at = sourceOf(rewrite);
  if (uri !== undefined && uriRegexRewrite !== undefined) refuse(at, 'a rewrite has uri or uriRegexRewrite, not both');
  if (uri === undefined && authority === undefined && uriRegexRewrite === undefined)
    refuse(at, 'a rewrite changes uri or authority');
  if (uriRegexRewrite !== undefined && (uriRegexRewrite.match === undefined || uriRegexRewrite.rewrite === undefined))
    refuse(sourceOf(rewrite, 'uriRegexRewrite'), 'uriRegexRewrite needs match and rewrite');
}

const GRPC_AND_HTTP = new Set<string>(RETRY_CONDITIONS);
/** Words that Istio takes besides those that mean something for HTTP/1.1. */
const OTHER_CONDITIONS = new Set(['http3-post-connect-failure']);

function checkRetries(retries: Retries, refuse: Refuse): void {
  const { attempts = 0, retryOn, perTryTimeout, backoff } = retries;
  const at = (field: keyof Retries & string): SourceRef => sourceOf(retries, field);
  if (attempts < 0) refuse(at('attempts'), 'attempts cannot be negative');
  if (attempts === 0 && (retryOn !== undefined || perTryTimeout !== undefined))
    refuse(
      sourceOf(retries),
      'without attempts nothing is retried, so retryOn and perTryTimeout cannot stand here',
      'attempts: 2',
    );
  if (perTryTimeout !== undefined && perTryTimeout < 1)
    refuse(at('perTryTimeout'), 'perTryTimeout must be at least 1ms');
  if (backoff !== undefined && backoff < 1) refuse(at('backoff'), 'backoff must be at least 1ms');
  for (const word of (retryOn ?? '').split(',')) {
    if (word === '' || GRPC_AND_HTTP.has(word) || OTHER_CONDITIONS.has(word) || isStatus(word)) continue;
    const hint = word.trim() === word ? [...RETRY_CONDITIONS].join(', ') : 'write no blanks after the commas';
    refuse(at('retryOn'), `${JSON.stringify(word)} is no condition for a retry`, hint);
  }
}

/** Statuses that Go's net/http has a text for, which is what Istio asks. */
const KNOWN_STATUSES = new Set([
  ...[100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308],
  ...[
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424,
  ],
  ...[425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
]);

export function isStatus(word: string): boolean {
  return /^\d{3}$/.test(word) && KNOWN_STATUSES.has(Number(word));
}

function checkFault({ fault }: HttpRoute, refuse: Refuse): void {
  if (fault === undefined) return;
  const { delay, abort } = fault;
  if (delay === undefined && abort === undefined) refuse(sourceOf(fault), 'a fault is a delay or an abort, or both');
  for (const part of [delay, abort]) {
    const share = part?.percentage?.value;
    if (part === undefined || share === undefined) continue;
    const at = sourceOf(part, 'percentage');
    if (share < 0 || share > 100) refuse(at, `a percentage of ${share} is not between 0 and 100`);
    else if (share > 0 && share < 0.0001) refuse(at, `a percentage of ${share} is less than the least, 0.0001`);
  }
  if (delay?.percent !== undefined && (delay.percent < 0 || delay.percent > 100))
    refuse(sourceOf(delay, 'percent'), `a percentage of ${delay.percent} is not between 0 and 100`);
  if (delay?.fixedDelay !== undefined && delay.fixedDelay < 1)
    refuse(sourceOf(delay), 'fixedDelay must be at least 1ms', 'fixedDelay: 5s');
  if (abort?.grpcStatus !== undefined && grpcStatusOf(abort.grpcStatus) === null)
    refuse(sourceOf(abort, 'grpcStatus'), `${JSON.stringify(abort.grpcStatus)} is no gRPC status`, 'UNAVAILABLE');
}

function checkMirrors(rule: HttpRoute, refuse: Refuse): void {
  const shares = [rule.mirrorPercentage, ...(rule.mirrors ?? []).map(({ percentage }) => percentage)];
  for (const share of shares)
    if (share?.value !== undefined && (share.value < 0 || share.value > 100))
      refuse(sourceOf(share, 'value'), `a mirror percentage of ${share.value} is not between 0 and 100`);
  if (rule.mirrorPercent !== undefined && rule.mirrorPercent > 100)
    refuse(sourceOf(rule, 'mirrorPercent'), `a mirror percentage of ${rule.mirrorPercent} is not between 0 and 100`);
}
