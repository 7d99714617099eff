import { sourceOf } from '../../yaml/positions.js';
import type { StringMatch } from '../istio/string-match.js';
import type { HttpMatch, TcpRoute, VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** Rules that nothing reaches, and weights that say nothing. */
export function analyzeRules(world: World, tell: Tell): void {
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService')) {
    const { http = [], tcp = [], tls = [] } = service.spec;
    checkReach(service, { rules: http, covers, what: 'requests' }, tell);
    checkReach(service, { rules: tcp, covers: streamCovers, what: 'connections' }, tell);
    checkReach(service, { rules: tls, covers: streamCovers, what: 'connections' }, tell);
    checkWeights(service, tell);
    checkPrefixes(service, tell);
  }
}

interface Reach<M> {
  readonly rules: readonly { readonly name?: string; readonly match?: readonly M[] }[];
  /** Whether all that the second meets is met by the first; null = everything. */
  readonly covers: (wide: M | null, narrow: M | null) => boolean;
  readonly what: string;
}

function checkReach<M>(object: Resource, { rules, covers: isCovered, what }: Reach<M>, tell: Tell): void {
  const earlier: { readonly match: M | null; readonly rule: number }[] = [];
  for (const [i, rule] of rules.entries()) {
    const matches: readonly (M | null)[] = (rule.match ?? []).length === 0 ? [null] : (rule.match ?? []);
    const before = matches.map((match) => earlier.find((other) => isCovered(other.match, match)));
    const name = rule.name === undefined ? `rule ${i + 1}` : `rule ${i + 1} (${rule.name})`;
    if (before.every((other) => other !== undefined)) {
      const by = [...new Set(before.map((other) => (other?.rule ?? 0) + 1))].join(' and ');
      tell(
        'IST0130',
        'warning',
        object,
        sourceOf(rule),
        `${name} is never reached: rule ${by} meets all of its ${what} first`,
        {
          hint: `put it before rule ${by}: the first that matches decides`,
        },
      );
    } else if (rule.match !== undefined)
      for (const [at, match] of matches.entries()) {
        const own = matches.slice(0, at).findIndex((other) => isCovered(other, match));
        const by = before[at] === undefined ? `match ${own + 1} of the same rule` : `rule ${before[at].rule + 1}`;
        if (before[at] !== undefined || own >= 0)
          tell(
            'IST0131',
            'info',
            object,
            sourceOf(rule.match, at),
            `match ${at + 1} of ${name} has no effect: ${by} meets its ${what} first`,
            { hint: 'leave it out' },
          );
      }
    earlier.push(...matches.map((match) => ({ match, rule: i })));
  }
}

type StreamMatch = NonNullable<TcpRoute['match']>[number] & { readonly sniHosts?: readonly string[] };

function streamCovers(wide: StreamMatch | null, narrow: StreamMatch | null): boolean {
  if (wide === null) return true;
  const other = narrow ?? {};
  return (
    (wide.port === undefined || wide.port === other.port) &&
    (wide.sourceNamespace === undefined || wide.sourceNamespace === other.sourceNamespace) &&
    (wide.gateways === undefined || same(wide.gateways, other.gateways)) &&
    (wide.sniHosts === undefined || (other.sniHosts ?? ['']).every((name) => wide.sniHosts?.includes(name))) &&
    Object.entries(wide.sourceLabels ?? {}).every(([name, value]) => other.sourceLabels?.[name] === value)
  );
}

/** Whether everything that `narrow` meets is met by `wide` as well; null = everything. */
export function covers(wide: HttpMatch | null, narrow: HttpMatch | null): boolean {
  if (wide === null) return true;
  const {
    uri,
    method,
    authority,
    scheme,
    headers = {},
    withoutHeaders = {},
    queryParams = {},
    sourceLabels = {},
  } = wide;
  const other = narrow ?? {};
  return (
    pathCovers(uri, other.uri, wide.ignoreUriCase ?? false, other.ignoreUriCase ?? false) &&
    textCovers(method, other.method) &&
    textCovers(authority, other.authority) &&
    textCovers(scheme, other.scheme) &&
    Object.entries(headers).every(([name, test]) => presentCovers(test, other.headers?.[name])) &&
    Object.entries(queryParams).every(([name, test]) => presentCovers(test, other.queryParams?.[name])) &&
    Object.entries(withoutHeaders).every(([name, test]) => same(test, other.withoutHeaders?.[name])) &&
    Object.entries(sourceLabels).every(([name, value]) => other.sourceLabels?.[name] === value) &&
    (wide.port === undefined || wide.port === other.port) &&
    (wide.sourceNamespace === undefined || wide.sourceNamespace === other.sourceNamespace) &&
    (wide.gateways === undefined || same(wide.gateways, other.gateways))
  );
}

function pathCovers(
  wide: StringMatch | undefined,
  narrow: StringMatch | undefined,
  anyCase: boolean,
  narrowAnyCase: boolean,
): boolean {
  if (wide === undefined || wide.prefix === '/' || wide.regex === '.*') return true;
  if (narrow === undefined) return false;
  if (narrowAnyCase && !anyCase) return false;
  return textCovers(wide, narrow);
}

function textCovers(wide: StringMatch | undefined, narrow: StringMatch | undefined): boolean {
  if (wide === undefined) return true;
  if (narrow === undefined) return false;
  if (wide.regex !== undefined) return wide.regex === '.*' || wide.regex === narrow.regex;
  if (wide.exact !== undefined) return wide.exact === narrow.exact;
  if (wide.prefix !== undefined) return (narrow.prefix ?? narrow.exact ?? '\0').startsWith(wide.prefix);
  return true;
}

/** Nothing said = is there: whatever is said of its value needs it to be there. */
function presentCovers(wide: StringMatch, narrow: StringMatch | undefined): boolean {
  return narrow !== undefined && textCovers(wide, narrow);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function checkWeights(object: Resource<VirtualService>, tell: Tell): void {
  for (const { route = [] } of object.spec.http ?? []) {
    const [only] = route;
    if (route.length === 1 && only?.weight !== undefined)
      tell(
        'KIA1104',
        'warning',
        object,
        sourceOf(only, 'weight'),
        `the weight ${only.weight} is ignored: there is one destination only`,
      );
    const seen = new Set<string>();
    for (const entry of route) {
      const key = `${entry.destination.host} ${entry.destination.subset ?? ''} ${entry.destination.port?.number ?? ''}`;
      if (seen.has(key))
        tell(
          'KIA1105',
          'warning',
          object,
          sourceOf(entry),
          `${entry.destination.host} ${entry.destination.subset ?? ''} stands twice in one rule: the weights add up`,
        );
      seen.add(key);
      if (route.length > 1 && entry.weight === undefined)
        tell(
          'MS0102',
          'warning',
          object,
          sourceOf(entry),
          `${entry.destination.host} ${entry.destination.subset ?? ''} has no weight beside others that have: it gets nothing`,
          { hint: 'weight: 50' },
        );
    }
  }
}

/** `prefix: /api` rewritten to `/` makes `//v1` of `/api/v1`. */
function checkPrefixes(object: Resource<VirtualService>, tell: Tell): void {
  for (const { rewrite, match = [] } of object.spec.http ?? [])
    for (const { uri } of match) {
      const to = rewrite?.uri;
      if (
        rewrite === undefined ||
        to === undefined ||
        uri?.prefix === undefined ||
        uri.prefix.endsWith('/') ||
        !to.endsWith('/')
      )
        continue;
      tell(
        'MS0103',
        'warning',
        object,
        sourceOf(rewrite, 'uri'),
        `${uri.prefix}/x becomes ${to}/x: the prefix is replaced as text, and a slash is doubled`,
        {
          hint: `prefix: ${uri.prefix}/ with rewrite.uri: ${to}`,
        },
      );
    }
}
