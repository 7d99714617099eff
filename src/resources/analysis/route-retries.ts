import { sourceOf } from '../../yaml/positions.js';
import { anyRoutesOf } from '../gateway-api/any-route.js';
import type { HttpRule } from '../gateway-api/http-route.js';
import type { Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** What retries and timeouts of one rule of an HTTPRoute make of each other, and of requests that change something. */
export function analyzeRouteRetries(world: World, tell: Tell): void {
  for (const { resource, rules } of anyRoutesOf(world.resources))
    for (const { spec, matches } of rules) {
      checkArithmetic(resource, spec, tell);
      const methods = matches.flatMap(({ match }) => match.methods).filter((method) => UNSAFE.has(method));
      checkIdempotency(resource, spec, [...new Set(methods)], tell);
    }
}

const UNSAFE: ReadonlySet<string> = new Set(['POST', 'PATCH']);

function checkArithmetic(object: Resource, { retry, timeouts }: Omit<HttpRule, 'matches'>, tell: Tell): void {
  if (retry === undefined || timeouts === undefined || retry.attempts === 0) return;
  const { request, backendRequest } = timeouts;
  const tries = (retry.attempts ?? 2) + 1;
  if (backendRequest !== undefined && backendRequest > 0)
    tell(
      'MS0123',
      'warning',
      object,
      sourceOf(timeouts, 'backendRequest'),
      'a try that runs into backendRequest is not made again, as with Istio: 504 in codes is about answers of the app',
    );
  if (request === undefined || request === 0) return;
  if (backendRequest === undefined || backendRequest === 0)
    tell(
      'MS0122',
      'info',
      object,
      sourceOf(timeouts, 'request'),
      `without backendRequest a slow first try uses up the ${request} ms of the request, and no retry follows`,
      { hint: `backendRequest: ${Math.max(1, Math.floor(request / tries))}ms` },
    );
  else if (backendRequest * tries > request)
    tell(
      'MS0121',
      'info',
      object,
      sourceOf(timeouts, 'request'),
      `${tries} tries of ${backendRequest} ms need ${backendRequest * tries} ms, and the request ends after ${request} ms`,
      { hint: `request: ${backendRequest * tries}ms` },
    );
}

/** The method is not looked at: a POST that failed after it was executed is executed again. */
function checkIdempotency(
  object: Resource,
  { retry }: Omit<HttpRule, 'matches'>,
  methods: readonly string[],
  tell: Tell,
): void {
  const codes = (retry?.codes ?? []).filter((code) => code >= 500);
  if (retry === undefined || codes.length === 0 || methods.length === 0) return;
  tell(
    'MS0124',
    'warning',
    object,
    sourceOf(retry, 'codes'),
    `codes ${codes.join(', ')} on a rule for ${methods.join(' and ')}: what was executed and failed afterwards is executed twice`,
    { hint: 'no codes: then only connects that failed are tried again' },
  );
}
