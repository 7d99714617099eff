import { READING } from '../../model/finding.js';
import { fqdn } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import { anyRoutesOf } from '../gateway-api/any-route.js';
import { parentOf } from '../gateway-api/references.js';
import type { LinkerdAuthorizationPolicy } from '../linkerd/authorization-policy.js';
import type { HttpLocalRateLimitPolicy } from '../linkerd/rate-limit-policy.js';
import type { Server } from '../linkerd/server.js';
import type { ServiceProfile } from '../linkerd/service-profile.js';
import type { Reference } from '../linkerd/words.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** Linkerd's references to what is not there, and ServiceProfiles beside routes. */
export function analyzeLinkerd(world: World, tell: Tell): void {
  const policies = ofKind<LinkerdAuthorizationPolicy>(world.resources, 'linkerd', 'AuthorizationPolicy');
  for (const policy of policies) {
    const { targetRef, requiredAuthenticationRefs } = policy.spec;
    checkReference(world, policy, targetRef, 'so it is about nothing', tell);
    for (const ref of requiredAuthenticationRefs)
      checkReference(world, policy, ref, 'so the policy lets nobody in', tell);
  }
  for (const limit of ofKind<HttpLocalRateLimitPolicy>(world.resources, 'linkerd', 'HTTPLocalRateLimitPolicy')) {
    checkReference(world, limit, limit.spec.targetRef, 'so it limits nothing', tell);
    checkLimited(world, limit, tell);
  }
  for (const route of anyRoutesOf(world.resources))
    for (const ref of route.parentRefs)
      if (parentOf(ref, route.resource.namespace).kind === 'server')
        checkReference(world, route.resource, ref as Reference, 'so the route has no effect there', tell);
  checkProfiles(world, tell);
}

/** Servers of gRPC are handed no limits. */
function checkLimited(world: World, limit: Resource<HttpLocalRateLimitPolicy>, tell: Tell): void {
  const { targetRef } = limit.spec;
  const speaksGrpc = ofKind<Server>(world.resources, 'linkerd', 'Server').some(
    ({ name, namespace, spec }) =>
      namespace === limit.namespace && name === targetRef.name && spec.proxyProtocol === 'gRPC',
  );
  if (speaksGrpc)
    tell(
      READING.unsupportedField,
      'warning',
      limit,
      sourceOf(targetRef, 'name'),
      `the Server ${targetRef.name} speaks gRPC, and Linkerd limits HTTP alone, so it limits nothing`,
      { hint: 'proxyProtocol: HTTP/2' },
    );
}

/** Kinds that references may name, and that have to be among the resources. */
const REFERRED = new Set(['Server', 'HTTPRoute', 'GRPCRoute', 'MeshTLSAuthentication', 'NetworkAuthentication']);

function checkReference(world: World, object: Resource, ref: Reference, effect: string, tell: Tell): void {
  if (!REFERRED.has(ref.kind)) return;
  const namespace = ref.namespace ?? object.namespace;
  const known = world.resources.filter((one) => one.kind === ref.kind && one.namespace === namespace);
  if (known.some(({ name }) => name === ref.name)) return;
  const names = known.map(({ name }) => name);
  const close = nearest(ref.name, names);
  tell(
    'MS0202',
    'error',
    object,
    sourceOf(ref, 'name'),
    `there is no ${ref.kind} ${ref.name} in ${namespace}, ${effect}`,
    {
      hint: close !== null ? `did you mean ${close}?` : names.length === 0 ? '' : `there are: ${names.join(', ')}`,
    },
  );
}

/** A profile with routes is all that callers obey, and one of no Service is obeyed by nobody. */
function checkProfiles(world: World, tell: Tell): void {
  const sets = world.routeSets().filter(({ gateways }) => gateways.includes('mesh'));
  for (const profile of ofKind<ServiceProfile>(world.resources, 'linkerd', 'ServiceProfile')) {
    if (world.complete && world.serviceOf(profile.name) === null)
      tell('MS0208', 'error', profile, null, `there is no Service ${profile.name}, so the profile has no effect`, {
        hint: `there are: ${world.services.map(({ host }) => host).join(', ')}`,
      });
    const { routes = [], dstOverrides = [] } = profile.spec;
    const rival = sets.find(({ hosts }) => hosts.includes(profile.name));
    if (rival !== undefined && routes.length + dstOverrides.length > 0)
      tell(
        'MS0206',
        'warning',
        rival.object,
        null,
        `ServiceProfile ${profile.name} is about the same Service and goes before it: the route has no effect`,
        {
          hint: 'delete the ServiceProfile, which HTTPRoutes took the place of',
        },
      );
    for (const service of ofKind(world.resources, 'kubernetes', 'Service'))
      tellOverridden(service, profile, routes.length + dstOverrides.length > 0, tell);
  }
}

const PATIENCE = /^(?:retry|timeout)\.linkerd\.io\//;

function tellOverridden(service: Resource, profile: Resource, decides: boolean, tell: Tell): void {
  if (!decides || fqdn(service.name, service.namespace) !== profile.name) return;
  const name = Object.keys(service.annotations).find((one) => PATIENCE.test(one));
  if (name !== undefined)
    tell(
      'MS0206',
      'warning',
      service,
      sourceOf(service.annotations, name),
      `ServiceProfile ${profile.name} goes before ${name}, which has no effect`,
      {
        hint: 'delete the ServiceProfile',
      },
    );
}
