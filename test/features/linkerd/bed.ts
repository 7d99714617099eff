import type { RequestListener } from 'node:http';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

export type LinkerdBed = PolicyBed;

export const linkerdBed = (apps: Readonly<Record<string, RequestListener>>, seed = 1): Promise<LinkerdBed> =>
  policyBed('linkerd', apps, seed);

/** A document of one of Linkerd's kinds; `head` goes into its metadata. */
export function policy(kind: string, name: string, spec: string, version = 'v1alpha1'): string {
  return document(`policy.linkerd.io/${version}`, kind, name, '{}', spec);
}

export function document(apiVersion: string, kind: string, name: string, annotations: string, spec: string): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name}, annotations: ${annotations} }\nspec: ${spec}`;
}

/** A Service of the app of the same name, with annotations. */
export function service(name: string, annotations: string): string {
  return document('v1', 'Service', name, annotations, `{ selector: { app: ${name} }, ports: [ { port: 9080 } ] }`);
}

/** An HTTPRoute attached to a Service. */
export function httpRoute(name: string, service: string, rules: string, annotations = '{}'): string {
  const parent = `{ group: core, kind: Service, name: ${service}, port: 9080 }`;
  const spec = `{ parentRefs: [ ${parent} ], rules: ${rules} }`;
  return document('policy.linkerd.io/v1beta3', 'HTTPRoute', name, annotations, spec);
}
