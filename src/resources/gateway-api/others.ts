import { list, oneOf, type Read, table, tableWith, text, unobeyed, unsupported } from '../../yaml/readers.js';
import { labelSelector, passed, portNumber } from '../words.js';
import { hostName, sectionName } from './words.js';

/** The Gateway API's smaller kinds: Gateway, GatewayClass, ReferenceGrant. */

const routeNamespaces = table({ from: oneOf(['All', 'Selector', 'Same', 'None']), selector: labelSelector });

const listener = tableWith(['name', 'port', 'protocol'], {
  name: sectionName,
  hostname: hostName,
  port: portNumber(),
  protocol: text,
  tls: passed,
  allowedRoutes: table({
    namespaces: routeNamespaces,
    kinds: list(tableWith(['kind'], { group: text, kind: text })),
  }),
});

export const gateway = tableWith(['gatewayClassName', 'listeners'], {
  gatewayClassName: text,
  listeners: list(listener),
  addresses: unobeyed(
    'the gateway has the address that mesh-sandbox up tells',
    list(table({ type: text, value: text })),
  ),
  infrastructure: passed,
  allowedListeners: table({
    namespaces: table({
      from: unobeyed(
        'listeners stand in their Gateway',
        oneOf(['All', 'Selector', 'Same', 'None']),
        (from) => from !== 'None',
      ),
      selector: passed,
    }),
  }),
  tls: unsupported(
    'the sandbox publishes its gateway in plaintext on loopback, and it has no certificate of its own for backends',
  ),
  backendTLS: unsupported('the gateway has no certificate of its own for backends'),
  defaultScope: passed,
});

export type Gateway = Read<typeof gateway>;
export type Listener = Read<typeof listener>;

/** Who serves Gateways; here it is always the sandbox's own gateway. */
export const gatewayClass = tableWith(['controllerName'], {
  controllerName: text,
  parametersRef: passed,
  description: passed,
});

export const referenceGrant = table({
  from: list(tableWith(['group', 'kind', 'namespace'], { group: text, kind: text, namespace: text })),
  to: list(tableWith(['group', 'kind'], { group: text, kind: text, name: text })),
});

export type ReferenceGrant = Read<typeof referenceGrant>;
