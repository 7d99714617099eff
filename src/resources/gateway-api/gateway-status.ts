import { condition, isBad, type ListenerStatus, type ResourceStatus } from '../../model/resource-status.js';
import type { Resource } from '../resource.js';
import { anyRoutesOf } from './any-route.js';
import { bindingOf, isHttp, WAYPOINT } from './attachments.js';
import type { Surroundings } from './backends.js';
import type { Gateway, Listener } from './others.js';
import { parentOf } from './references.js';
import { GROUP } from './words.js';

const KINDS = ['HTTPRoute', 'GRPCRoute'];

/** What became of a Gateway and of each of its listeners. */
export function gatewayStatus(gateway: Resource<Gateway>, around: Surroundings): ResourceStatus {
  const { generation, spec } = gateway;
  const listeners = spec.listeners.map((listener) => listenerStatus(gateway, listener, around));
  const refused = listeners.filter(({ conditions }) => conditions.some((one) => one.type === 'Accepted' && isBad(one)));
  const waypoint =
    spec.gatewayClassName === WAYPOINT
      ? { reason: 'InvalidParameters', message: 'a waypoint has no effect beside sidecars' }
      : null;
  const invalid = { reason: 'ListenersNotValid', message: refused.map(({ name }) => name).join(', ') };
  const none = refused.length === listeners.length;
  const accepted = condition('Accepted', waypoint ?? (none ? invalid : null), generation);
  return {
    conditions: [
      // With some listeners refused and others not it is accepted, and says so.
      waypoint === null && refused.length > 0 ? { ...accepted, ...invalid } : accepted,
      condition('Programmed', waypoint !== null || none ? NOT_SERVED : null, generation),
    ],
    listeners,
  };
}

const NOT_SERVED = { reason: 'Invalid', message: 'nothing is served by it' };

function listenerStatus(gateway: Resource<Gateway>, listener: Listener, around: Surroundings): ListenerStatus {
  const { generation } = gateway;
  const asked = listener.allowedRoutes?.kinds ?? KINDS.map((kind) => ({ group: GROUP, kind }));
  const supported = asked
    .map(({ group = GROUP, kind }) => ({ group, kind }))
    .filter(({ group, kind }) => isHttp(listener) && group === GROUP && KINDS.includes(kind));
  const kinds =
    supported.length === asked.length || !isHttp(listener)
      ? null
      : { reason: 'InvalidRouteKinds', message: 'it allows kinds of routes that are not known' };
  const protocol = isHttp(listener)
    ? null
    : { reason: 'UnsupportedProtocol', message: `${listener.protocol} is not served by the sandbox's gateway` };
  const conflict = conflictOf(gateway, listener);
  return {
    name: listener.name,
    supportedKinds: supported,
    attachedRoutes: attachedTo(gateway, listener, around),
    conditions: [
      condition('Accepted', protocol ?? conflict, generation),
      condition('Programmed', (protocol ?? conflict) === null ? null : NOT_SERVED, generation),
      condition('ResolvedRefs', kinds, generation),
      condition('Conflicted', conflict, generation),
    ],
  };
}

/** The earlier one of two listeners that claim the same keeps it. */
export function conflictOf(
  gateway: Resource<Gateway>,
  listener: Listener,
): { readonly reason: string; readonly message: string } | null {
  const earlier = gateway.spec.listeners.slice(0, gateway.spec.listeners.indexOf(listener));
  const onPort = earlier.filter(({ port }) => port === listener.port);
  const other = onPort.find(({ protocol }) => protocol !== listener.protocol);
  if (other !== undefined)
    return { reason: 'ProtocolConflict', message: `${other.name} speaks ${other.protocol} on port ${listener.port}` };
  const same = onPort.find(({ hostname }) => hostname === listener.hostname);
  return same === undefined
    ? null
    : {
        reason: 'HostnameConflict',
        message: `${same.name} serves ${listener.hostname ?? '*'} on port ${listener.port}`,
      };
}

function attachedTo(gateway: Resource<Gateway>, listener: Listener, { resources }: Surroundings): number {
  return anyRoutesOf(resources).filter((route) =>
    route.parentRefs.some((ref) => {
      const parent = parentOf(ref, route.resource.namespace);
      return (
        parent.kind === 'gateway' &&
        parent.namespace === gateway.namespace &&
        parent.name === gateway.name &&
        bindingOf(route, ref, gateway, resources).bound.some((one) => one.listener === listener)
      );
    }),
  ).length;
}
