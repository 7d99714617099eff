import { type Kind, kindOf } from '../resource.js';
import {
  checkIntentions,
  checkProxyDefaults,
  checkResolver,
  checkRouter,
  checkServiceDefaults,
  checkSplitter,
} from './check.js';
import { mesh, proxyDefaults, serviceDefaults, serviceIntentions } from './defaults.js';
import { serviceResolver, serviceRouter, serviceSplitter } from './routing.js';
import { checkJwtProvider, jwtProvider } from './tokens.js';
import { GROUP } from './words.js';

const CONSUL = { dialect: 'consul', group: GROUP, versions: ['v1alpha1'], body: 'spec' } as const;

/** Kinds of Consul that are read, as CRDs and as config entries. */
export const CONSUL_KINDS: readonly Kind[] = [
  kindOf({ ...CONSUL, kind: 'ServiceRouter', spec: serviceRouter, check: checkRouter }),
  kindOf({ ...CONSUL, kind: 'ServiceSplitter', spec: serviceSplitter, check: checkSplitter }),
  kindOf({ ...CONSUL, kind: 'ServiceResolver', spec: serviceResolver, check: checkResolver }),
  kindOf({ ...CONSUL, kind: 'ServiceIntentions', spec: serviceIntentions, check: checkIntentions }),
  kindOf({ ...CONSUL, kind: 'ServiceDefaults', spec: serviceDefaults, check: checkServiceDefaults }),
  kindOf({ ...CONSUL, kind: 'ProxyDefaults', spec: proxyDefaults, check: checkProxyDefaults }),
  kindOf({ ...CONSUL, kind: 'Mesh', spec: mesh }),
  kindOf({ ...CONSUL, kind: 'JWTProvider', spec: jwtProvider, check: checkJwtProvider }),
];

/** Kinds of Consul that a sandbox has no use for, and what is told of them. */
export const CONSUL_PASSED: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['ExportedServices', 'there is one partition here'],
    ['IngressGateway', 'the gateway is bound by a Gateway of Istio or of the Gateway API'],
    ['TerminatingGateway', 'hosts outside of the mesh are declared by a ServiceEntry'],
    ['SamenessGroup', 'there is one datacentre here'],
    ['ControlPlaneRequestLimit', 'it is about Consul’s own servers'],
    ['APIGateway', 'the gateway is bound by a Gateway of Istio or of the Gateway API'],
    ['BoundAPIGateway', 'the gateway is bound by a Gateway of Istio or of the Gateway API'],
    ['HTTPRoute', 'the gateway’s routes are an HTTPRoute of the Gateway API'],
    ['TCPRoute', 'the gateway’s routes are an HTTPRoute of the Gateway API'],
    ['InlineCertificate', 'the gateway speaks plaintext'],
    ['FileSystemCertificate', 'the gateway speaks plaintext'],
  ].map(([kind, why]) => [`${GROUP}/${kind}`, `${kind} has no effect: ${why}`]),
);
