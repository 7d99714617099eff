import { type Finding, READING } from '../../model/finding.js';
import type { FlavorName } from '../../model/flavor.js';
import { objectName } from '../../model/policies.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { isSpokenAt, serverRefsOf } from '../linkerd/inbound-routes.js';
import { ignoredInLinkerd } from '../linkerd/route-parts.js';
import type { Server } from '../linkerd/server.js';
import { ofKind, type Resource, reporter } from '../resource.js';
import { type AnyRoute, anyRoutesOf } from './any-route.js';
import { outdoneBy } from './outdone.js';
import { parentOf } from './references.js';
import { droppingParts, takerOf } from './unobeyed.js';

/** A route that holds beside no other of a closer kind. */
const OUTDONE = 'MS0147';

/** A route that the mesh of the flavour does not obey, and the sandbox does. */
const FOREIGN = 'MS0162';

/** What of routes would not be obeyed, by the mesh that would take them. */
export function unobeyedRoutes(resources: readonly Resource[], flavor: FlavorName): Finding[] {
  const found: Finding[] = [];
  for (const route of anyRoutesOf(resources)) {
    const report = reporter(route.resource, found);
    const warn = (where: SourceRef, message: string, hint: string, code: string = READING.unsupportedField): void =>
      report(code, 'warning', where, message, hint);
    const takers = takersOf(route, flavor);
    for (const taker of takers)
      for (const { source, message, hint } of droppingParts(route, taker))
        warn(
          source,
          `${message}, so the whole route is dropped, all of its rules: requests pass as if it were not there`,
          hint,
        );
    if (takers.has('linkerd'))
      for (const { source, message, hint } of ignoredInLinkerd(route)) warn(source, message, hint);
    tellUnspoken(route, resources, warn);
    if (flavor === 'linkerd') tellOutdone(route, resources, warn);
    if (flavor === 'consul') tellForeign(route, warn);
  }
  return found;
}

/** A route of Servers alone is taken by nobody here: callees obey it. */
function takersOf(route: AnyRoute, flavor: FlavorName): Set<'istio' | 'linkerd'> {
  const parents = route.parentRefs.map((ref) => parentOf(ref, route.resource.namespace));
  return new Set(parents.filter(({ kind }) => kind !== 'server').map((parent) => takerOf(route, parent, flavor)));
}

/** At Servers of Linkerd that speak something else. */
function tellUnspoken(
  route: AnyRoute,
  resources: readonly Resource[],
  warn: (where: SourceRef, message: string, hint: string) => void,
): void {
  for (const ref of serverRefsOf(route)) {
    const server = ofKind<Server>(resources, 'linkerd', 'Server').find(
      ({ namespace, name }) => namespace === route.resource.namespace && name === ref.name,
    );
    if (server === undefined || isSpokenAt(server, route)) continue;
    const { kind } = route.resource;
    warn(
      sourceOf(ref, 'name'),
      `the Server ${ref.name} speaks ${server.spec.proxyProtocol ?? 'what is seen there'}, so the ${kind} has no effect there`,
      kind === 'GRPCRoute' ? 'proxyProtocol: gRPC' : 'proxyProtocol: HTTP/1',
    );
  }
}

/** Consul takes routes of its API gateways alone; what its sidecars do its own entries say. */
function tellForeign(
  route: AnyRoute,
  warn: (where: SourceRef, message: string, hint: string, code: string) => void,
): void {
  if (route.resource.dialect !== 'gateway-api') return;
  for (const ref of route.parentRefs) {
    const { kind } = parentOf(ref, route.resource.namespace);
    if (kind === 'service' || kind === 'service-entry')
      warn(
        sourceOf(ref),
        `Consul obeys no route of a Service: calls to ${ref.name} go by the route here, as Istio has it, and in a cluster as if it were not there`,
        `a ServiceRouter ${ref.name}, or mesh-sandbox up --flavor istio`,
        FOREIGN,
      );
  }
}

function tellOutdone(
  route: AnyRoute,
  resources: readonly Resource[],
  warn: (where: SourceRef, message: string, hint: string, code: string) => void,
): void {
  for (const ref of route.parentRefs) {
    const by = outdoneBy(route, ref, resources);
    if (by !== null)
      warn(
        sourceOf(ref),
        `${objectName(by)} is about the same Service: in Linkerd GRPCRoutes hold alone, so the route has no effect there`,
        'a port of its own for each',
        OUTDONE,
      );
  }
}
