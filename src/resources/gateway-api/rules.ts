import { ANY_CALLER, destinationName, objectName, type RouteRule } from '../../model/policies.js';
import { policyOf } from '../../model/retries.js';
import type {
  CorsPolicy,
  ForwardAction,
  Mirror,
  RetryPolicy,
  RouteAction,
  WeightedCluster,
} from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import { fieldChanges, hostOf, mergedChanges } from '../istio/headers.js';
import { isStatus } from '../istio/validate.js';
import { badBackend } from '../linkerd/route-parts.js';
import type { AnyRoute, AnyRule } from './any-route.js';
import { corsOf, filterOf, operationsOf, redirectOf, rewrittenPath } from './filters.js';
import type { BackendRef, HttpFilter } from './http-route.js';
import { backendName, type ObjectReference } from './references.js';
import type { Taker } from './unobeyed.js';

/** Where a route is attached, as far as its rules differ by it. */
export interface Attachment {
  readonly route: AnyRoute;
  /** Port of the Gateway's listener; null = a Service of the mesh. */
  readonly listener: number | null;
  readonly taker: Taker;
  /** Host of the Service that it is attached to; null = a listener. */
  readonly parent: string | null;
  /** Whether the route may lead to a backend. */
  readonly allows: (ref: ObjectReference) => boolean;
}

/** One route for each match of each rule, in the order in which they are written. */
export function routeRulesOf(attachment: Attachment): RouteRule[] {
  const { resource, rules } = attachment.route;
  return rules.flatMap((rule) => {
    const action = toParent(attachment, rule) ?? actionOf(attachment, rule);
    const { name, filters = [] } = rule.spec;
    return rule.matches.map(
      ({ match, source }, at): RouteRule => ({
        route: {
          name: name ?? `${resource.namespace}/${resource.name}#${rule.index + 1}`,
          match,
          action,
          responseFields: responseFields(filters, soleBackend(rule)),
          fault: null,
          origin: {
            object: objectName(resource),
            rule: rule.index,
            match: at,
            ...(name === undefined ? {} : { name }),
            source,
          },
        },
        defaultRetries: attachment.taker === 'linkerd' || rule.spec.retry === undefined,
        scope: ANY_CALLER,
      }),
    );
  });
}

/** A rule that names no backends leads to its Service (linkerd2 `policy-controller/grpc`); null = it names some, or cannot. */
function toParent(attachment: Attachment, rule: AnyRule): RouteAction | null {
  const { parent, taker } = attachment;
  const { filters = [], backendRefs = [] } = rule.spec;
  if (taker !== 'linkerd' || parent === null || backendRefs.length > 0) return null;
  if (filterOf(filters, 'RequestRedirect') !== undefined) return null;
  const cluster = { cluster: destinationName(parent, null, ''), weight: 1, requestFields: null, responseFields: null };
  return { ...forwardOf(attachment, rule), clusters: [cluster] };
}

/** Backends that get anything; weight is 1 unless it is said. */
function backendsOf({ spec: { backendRefs = [] } }: AnyRule): readonly BackendRef[] {
  return backendRefs.filter(({ weight }) => weight !== 0);
}

function soleBackend(rule: AnyRule): BackendRef | undefined {
  const backends = backendsOf(rule);
  return backends.length === 1 ? backends[0] : undefined;
}

function responseFields(filters: readonly HttpFilter[], sole: BackendRef | undefined) {
  const own = changesOf(filters, 'ResponseHeaderModifier');
  return sole === undefined ? own : mergedChanges(own, changesOf(sole.filters ?? [], 'ResponseHeaderModifier'));
}

function modifierOf(filters: readonly HttpFilter[], type: 'RequestHeaderModifier' | 'ResponseHeaderModifier') {
  const filter = filterOf(filters, type);
  return operationsOf(
    type === 'RequestHeaderModifier' ? filter?.requestHeaderModifier : filter?.responseHeaderModifier,
  );
}

function changesOf(filters: readonly HttpFilter[], type: 'RequestHeaderModifier' | 'ResponseHeaderModifier') {
  return fieldChanges(modifierOf(filters, type));
}

function actionOf(attachment: Attachment, rule: AnyRule): RouteAction {
  const { filters = [] } = rule.spec;
  const redirect = filterOf(filters, 'RequestRedirect')?.requestRedirect;
  if (redirect !== undefined) return redirectOf(redirect, attachment.listener);
  if (backendsOf(rule).length > 0) return forwardOf(attachment, rule);
  // "If there are no backendRefs, or all have weight 0": the Gateway API asks for 500.
  return { kind: 'direct', status: 500, body: '' };
}

function policyForOrigins(filters: readonly HttpFilter[]): CorsPolicy | null {
  const cors = filterOf(filters, 'CORS')?.cors;
  return cors === undefined ? null : corsOf(cors);
}

function forwardOf(attachment: Attachment, rule: AnyRule): ForwardAction {
  const { filters = [] } = rule.spec;
  const sole = soleBackend(rule);
  const own = changesOf(filters, 'RequestHeaderModifier');
  const rewrite = filterOf(filters, 'URLRewrite')?.urlRewrite;
  const path = rewrite?.path === undefined ? null : rewrittenPath(rewrite.path);
  const host =
    rewrite?.hostname ??
    hostOf(modifierOf(filters, 'RequestHeaderModifier')) ??
    hostOf(modifierOf(sole?.filters ?? [], 'RequestHeaderModifier'));
  return {
    kind: 'forward',
    clusters: backendsOf(rule).map((backend) => clusterOf(attachment, backend, sole !== undefined)),
    rewrite: host === null && path === null ? null : { host, path },
    requestFields:
      sole === undefined ? own : mergedChanges(own, changesOf(sole.filters ?? [], 'RequestHeaderModifier')),
    cors: policyForOrigins(filters),
    timeoutMs: timeoutOf(attachment, rule),
    retry: attachment.taker === 'linkerd' ? null : retriesOf(rule),
    hash: [],
    mirrors: mirrorsOf(attachment, filters),
    missingStatus: 500,
  };
}

/** Without `retry` there is one try, and its time is that of the request (observed on Istio); Linkerd has its own kind's. */
function timeoutOf({ taker, route }: Attachment, { spec }: AnyRule): number | null {
  const { timeouts = {}, retry } = spec;
  if (taker === 'linkerd') return route.resource.dialect === 'linkerd' ? limitOf(timeouts.request) : null;
  return limitOf(retry === undefined ? (timeouts.backendRequest ?? timeouts.request) : timeouts.request);
}

/** `0s` = none. */
function limitOf(ms: number | undefined): number | null {
  return ms === undefined || ms === 0 ? null : ms;
}

/** A sole backend's changes are the rule's, as with Istio's destinations. */
function clusterOf({ route, taker, allows }: Attachment, backend: BackendRef, sole: boolean): WeightedCluster {
  const filters = sole ? [] : (backend.filters ?? []);
  const answers = allows(backend) && (taker === 'istio' || badBackend(backend) === null);
  const host = hostOf(modifierOf(filters, 'RequestHeaderModifier'));
  return {
    cluster: backendName(backend, route.resource.namespace, answers),
    weight: backend.weight ?? 1,
    requestFields: changesOf(filters, 'RequestHeaderModifier'),
    responseFields: changesOf(filters, 'ResponseHeaderModifier'),
    ...(host === null ? {} : { host }),
  };
}

/** What Istio makes of `retry`: failed connects always, listed statuses of the app, no reset and no time-out (observed). */
const RETRY_ON = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'];

function retriesOf({ spec }: AnyRule): RetryPolicy | null {
  const { retry, timeouts = {} } = spec;
  if (retry === undefined) return null;
  const { line, file } = sourceOf(spec, 'retry');
  return policyOf(
    {
      attempts: retry.attempts ?? 2,
      retryOn: [...RETRY_ON, ...(retry.codes ?? []).map(String).filter(isStatus)],
      perTryTimeoutMs: limitOf(timeouts.backendRequest),
      ...(retry.backoff === undefined ? {} : { backoffBaseMs: retry.backoff }),
      nonIdempotent: 'always',
    },
    `retry in line ${line} of ${file}`,
  );
}

/** One that is not allowed, or no Service, gets no copies. */
function mirrorsOf({ route, allows }: Attachment, filters: readonly HttpFilter[]): Mirror[] {
  return filters.flatMap(({ requestMirror }) => {
    if (requestMirror === undefined) return [];
    const { backendRef, percent, fraction } = requestMirror;
    const share =
      fraction === undefined ? (percent ?? 100) : (100 * fraction.numerator) / (fraction.denominator ?? 100);
    return [{ cluster: backendName(backendRef, route.resource.namespace, allows(backendRef)), percent: share }];
  });
}
