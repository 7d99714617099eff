import { sourceOf } from '../../yaml/positions.js';
import { gatewaysOf } from '../gateway-api/attachments.js';
import { conflictOf } from '../gateway-api/gateway-status.js';
import type { Gateway } from '../gateway-api/others.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** Classes that Istio makes by itself. */
const KNOWN_CLASSES = ['istio', 'istio-remote', 'istio-waypoint', 'istio-eastwest'];

/** Gateways of the Gateway API: listeners that claim the same, classes that nobody declares. */
export function analyzeListeners({ resources }: World, tell: Tell): void {
  const classes = [...KNOWN_CLASSES, ...ofKind(resources, 'gateway-api', 'GatewayClass').map(({ name }) => name)];
  const gateways = gatewaysOf(resources);
  for (const [i, gateway] of gateways.entries()) {
    const { gatewayClassName, listeners } = gateway.spec;
    if (!classes.includes(gatewayClassName))
      tell(
        'KIA1504',
        'warning',
        gateway,
        sourceOf(gateway.spec, 'gatewayClassName'),
        `no GatewayClass ${gatewayClassName} is known; here the sandbox's gateway serves it, in a cluster perhaps nobody`,
        { hint: `there are: ${classes.join(', ')}` },
      );
    for (const listener of listeners) {
      const conflict = conflictOf(gateway, listener);
      if (conflict !== null)
        tell(
          'KIA1503',
          'error',
          gateway,
          sourceOf(listener),
          `the listener ${listener.name} conflicts: ${conflict.message}`,
        );
    }
    for (const other of gateways.slice(0, i)) checkPair(gateway, other, tell);
  }
}

function checkPair(gateway: Resource<Gateway>, other: Resource<Gateway>, tell: Tell): void {
  const shared = gateway.spec.listeners.find((listener) =>
    other.spec.listeners.some(({ port, hostname }) => port === listener.port && hostname === listener.hostname),
  );
  if (shared !== undefined)
    tell(
      'KIA1501',
      'warning',
      gateway,
      sourceOf(shared),
      `${other.namespace}/${other.name} serves ${shared.hostname ?? '*'} on port ${shared.port} too`,
    );
  const addresses = new Set((other.spec.addresses ?? []).map(({ type, value }) => `${type} ${value}`));
  const address = (gateway.spec.addresses ?? []).find(({ type, value }) => addresses.has(`${type} ${value}`));
  if (address !== undefined)
    tell(
      'KIA1502',
      'warning',
      gateway,
      sourceOf(address),
      `${other.namespace}/${other.name} asks for the address ${address.value} too`,
    );
}
