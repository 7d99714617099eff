import { READING } from '../../model/finding.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { isStatus } from '../istio/validate.js';
import { tellAtServer } from '../linkerd/at-server.js';
import { type Refuse, refuser } from '../refuse.js';
import type { Report, Resource } from '../resource.js';
import { type AnyRoute, type AnyRule, ofGrpc, ofHttp } from './any-route.js';
import type { GrpcMatch, GrpcRoute } from './grpc-route.js';
import type { HttpRoute, HttpRule, ParentRef } from './http-route.js';
import { parentOf } from './references.js';
import { checkFilters } from './validate-filters.js';
import { checkMatch, checkNames } from './validate-matches.js';

/** Of an HTTPRoute and a GRPCRoute alike. */
const LIMITS = { parentRefs: 32, hostnames: 16, rules: 16, matches: 64, allMatches: 128, filters: 16, backendRefs: 16 };

/**
 * What the CRDs' schema and CEL rules refuse (gateway-api config/crd/experimental): such a route never comes into a
 * cluster. What is admitted and not obeyed is told as a warning.
 */
export function checkHttpRoute(resource: Resource<HttpRoute>, report: Report): void {
  const refuse = refuser(report);
  const { rules = [] } = resource.spec;
  for (const rule of rules) {
    for (const match of rule.matches ?? []) checkMatch(match, refuse);
    checkFilters(rule, rule.filters ?? [], refuse);
    for (const { filters = [] } of rule.backendRefs ?? [])
      checkFilters({ matches: rule.matches ?? [] }, filters, refuse);
    checkTimes(rule, refuse);
    checkRetry(rule, report);
  }
  checkRoute(ofHttp(resource), rules, report);
}

export function checkGrpcRoute(resource: Resource<GrpcRoute>, report: Report): void {
  const refuse = refuser(report);
  const { rules = [] } = resource.spec;
  for (const rule of rules) {
    for (const match of rule.matches ?? []) checkCall(match, refuse);
    checkFilters(rule, rule.filters ?? [], refuse);
    for (const { filters = [] } of rule.backendRefs ?? [])
      checkFilters({ matches: rule.matches ?? [] }, filters, refuse);
  }
  checkRoute(ofGrpc(resource), rules, report);
}

function checkRoute(
  route: AnyRoute,
  rules: readonly { readonly matches?: readonly object[]; readonly name?: string }[],
  report: Report,
): void {
  const refuse = refuser(report);
  const most = (items: readonly unknown[] | undefined, limit: number, what: string): void => {
    if (items !== undefined && items.length > limit)
      refuse(sourceOf(items as object, limit), `${items.length} ${what} are more than the ${limit} that there may be`);
  };
  const { spec } = route.resource;
  most(spec.parentRefs, LIMITS.parentRefs, 'parentRefs');
  most(spec.hostnames, LIMITS.hostnames, 'hostnames');
  most(spec.rules, LIMITS.rules, 'rules');
  if (spec.rules?.length === 0) refuse(sourceOf(spec, 'rules'), 'a route has at least one rule', 'leave rules out');
  for (const { matches } of rules) most(matches, LIMITS.matches, 'matches of one rule');
  const total = rules.reduce((sum, { matches = [] }) => sum + matches.length, 0);
  if (total > LIMITS.allMatches)
    refuse(
      sourceOf(spec, 'rules'),
      `${total} matches in all are more than the ${LIMITS.allMatches} that a route may have`,
      'two routes',
    );
  for (const { spec: rule } of route.rules) {
    most(rule.filters, LIMITS.filters, 'filters of one rule');
    most(rule.backendRefs, LIMITS.backendRefs, 'backendRefs of one rule');
    for (const backend of rule.backendRefs ?? [])
      if ((backend.group ?? '') === '' && (backend.kind ?? 'Service') === 'Service' && backend.port === undefined)
        refuse(sourceOf(backend), `the backend ${backend.name} has no port, and a Service needs one`, 'port: 80');
  }
  checkNames(rules, refuse);
  checkParents(route, refuse);
  tellUnobeyed(route, report);
  tellAtServer(route, report);
}

function checkParents({ parentRefs, resource }: AnyRoute, refuse: Refuse): void {
  const seen = new Set<string>();
  for (const [i, ref] of parentRefs.entries()) {
    const { sectionName = '', port = '' } = ref;
    const key = JSON.stringify([ref.group, ref.kind, ref.namespace ?? resource.namespace, ref.name, sectionName, port]);
    if (seen.has(key))
      refuse(
        sourceOf(parentRefs, i),
        `the parent ${ref.name} stands twice`,
        'sectionName or port tells its parts apart',
      );
    seen.add(key);
  }
}

function checkTimes({ timeouts }: HttpRule, refuse: Refuse): void {
  const { request, backendRequest } = timeouts ?? {};
  if (timeouts === undefined || request === undefined || backendRequest === undefined) return;
  if (request !== 0 && backendRequest > request)
    refuse(
      sourceOf(timeouts, 'backendRequest'),
      'backendRequest timeout cannot be longer than request timeout',
      'a shorter backendRequest, or a longer request',
    );
}

/** Istio hands codes on as words, and knows those that have a name. */
function checkRetry({ retry }: HttpRule, report: Report): void {
  if (retry === undefined) return;
  for (const [i, code] of (retry.codes ?? []).entries())
    if (!isStatus(String(code)))
      report(
        READING.unsupportedField,
        'warning',
        sourceOf(retry.codes as object, i),
        `${code} is no status that has a name, so it is not retried`,
      );
}

function checkCall({ method }: GrpcMatch, refuse: Refuse): void {
  if (method === undefined) return;
  const { type = 'Exact', service, method: name } = method;
  if (service === undefined && name === undefined)
    refuse(sourceOf(method), 'a method match names a service or a method, or both', 'service: shop.Cart');
  if (type !== 'Exact') return;
  if (service !== undefined && !/^(?:[a-zA-Z_]\w*\.)*[a-zA-Z_]\w*$/.test(service))
    refuse(sourceOf(method, 'service'), `${JSON.stringify(service)} is no name of a gRPC service`, 'shop.Cart');
  if (name !== undefined && !/^[A-Za-z_]\w*$/.test(name))
    refuse(sourceOf(method, 'method'), `${JSON.stringify(name)} is no name of a gRPC method`, 'Add');
}

/** Parents whose routes are for calls to their own names. */
const IN_MESH: ReadonlySet<string> = new Set(['service', 'service-entry']);

type Warn = (where: SourceRef | null, message: string, hint?: string) => void;

/** Filters that act on what is forwarded; CORS as well, as was observed. */
const UNFORWARDED: ReadonlySet<string> = new Set(['RequestMirror', 'RequestHeaderModifier', 'CORS']);

/** A redirect is answered where it is met, so that what would be forwarded, and how, is of no account (Envoy). */
function tellBesideRedirect(rule: AnyRule['spec'], warn: Warn): void {
  const { filters = [] } = rule;
  if (!filters.some(({ type }) => type === 'RequestRedirect')) return;
  const why = 'has no effect beside RequestRedirect: nothing is forwarded';
  for (const filter of filters)
    if (UNFORWARDED.has(filter.type))
      warn(sourceOf(filter, 'type'), `${filter.type} ${why}`, 'leave it out, or a rule of its own');
  for (const part of ['timeouts', 'retry'] as const)
    if (rule[part] !== undefined) warn(sourceOf(rule, part), `${part} ${why}`, 'leave it out');
}

function tellUnobeyed(route: AnyRoute, report: Report): void {
  const { resource, parentRefs, rules, hostnames } = route;
  const warn: Warn = (where, message, hint = '') => report(READING.unsupportedField, 'warning', where, message, hint);
  const isService = (ref: ParentRef): boolean => parentOf(ref, resource.namespace).kind === 'service';
  const inMesh = parentRefs.filter((ref) => IN_MESH.has(parentOf(ref, resource.namespace).kind));
  if (hostnames.length > 0 && inMesh.length > 0)
    warn(
      sourceOf(resource.spec, 'hostnames'),
      inMesh.length === parentRefs.length
        ? 'hostnames are not obeyed: a route of a Service has all names of that'
        : `hostnames are not obeyed at ${inMesh.map(({ name }) => name).join(', ')}: a route of a Service has all names of that`,
      inMesh.length === parentRefs.length ? 'leave them out' : 'a route for the Gateway, and one for the rest',
    );
  for (const ref of parentRefs) {
    if (ref.sectionName !== undefined && isService(ref))
      warn(sourceOf(ref, 'sectionName'), 'sectionName is not obeyed: ports of a Service are told by number', 'port');
    if (parentOf(ref, resource.namespace).kind === 'egress-network')
      warn(sourceOf(ref), 'routes of an EgressNetwork are not obeyed: its trafficPolicy decides for every host');
    if (parentOf(ref, resource.namespace).kind === 'unknown')
      warn(
        sourceOf(ref),
        `a parent of kind ${ref.kind} is not known, so the route has no effect there`,
        ref.kind === 'Service'
          ? 'group: "" makes it a Service of Kubernetes'
          : 'kind: Gateway, or group: "" and kind: Service',
      );
  }
  if (parentRefs.length === 0) warn(null, 'it has no parentRefs, so it has no effect', 'parentRefs: [ … ]');
  for (const { spec } of rules) {
    if (spec.sessionPersistence === true)
      warn(sourceOf(spec, 'sessionPersistence'), 'sessionPersistence is not obeyed: pods take turns, as with Istio');
    tellBesideRedirect(spec, warn);
  }
  if (resource.spec.useDefaultGateways === true)
    warn(sourceOf(resource.spec, 'useDefaultGateways'), 'useDefaultGateways is not obeyed', 'name the Gateway');
}
