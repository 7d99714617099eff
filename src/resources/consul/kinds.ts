import { type Kind, kindOf } from '../resource.js';
import { checkIntentions, checkResolver, checkRouter, checkSplitter } from './check.js';
import { mesh, proxyDefaults, serviceDefaults, serviceIntentions } from './defaults.js';
import { serviceResolver, serviceRouter, serviceSplitter } from './routing.js';
import { GROUP } from './words.js';

const CONSUL = { dialect: 'consul', group: GROUP, versions: ['v1alpha1'], body: 'spec' } as const;

/** Kinds of Consul that are read, as CRDs and as config entries. */
export const CONSUL_KINDS: readonly Kind[] = [
  kindOf({ ...CONSUL, kind: 'ServiceRouter', spec: serviceRouter, check: checkRouter }),
  kindOf({ ...CONSUL, kind: 'ServiceSplitter', spec: serviceSplitter, check: checkSplitter }),
  kindOf({ ...CONSUL, kind: 'ServiceResolver', spec: serviceResolver, check: checkResolver }),
  kindOf({ ...CONSUL, kind: 'ServiceIntentions', spec: serviceIntentions, check: checkIntentions }),
  kindOf({ ...CONSUL, kind: 'ServiceDefaults', spec: serviceDefaults }),
  kindOf({ ...CONSUL, kind: 'ProxyDefaults', spec: proxyDefaults }),
  kindOf({ ...CONSUL, kind: 'Mesh', spec: mesh }),
];

/** Kinds of Consul that a sandbox has no use for, and what is told of them. */
export const CONSUL_PASSED: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['ExportedServices', 'there is one partition here'],
    ['IngressGateway', 'the gateway is bound by a Gateway of Istio or of the Gateway API'],
    ['TerminatingGateway', 'hosts outside of the mesh are declared by a ServiceEntry'],
    ['SamenessGroup', 'there is one datacentre here'],
    ['JWTProvider', 'tokens are looked at by a RequestAuthentication'],
    ['ControlPlaneRequestLimit', 'it is about Consul’s own servers'],
  ].map(([kind, why]) => [`${GROUP}/${kind}`, `${kind} has no effect: ${why}`]),
);
