import type { AppSpec } from '../../../src/model/app.js';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { readResources } from '../../../src/resources/read.js';

/** One resource; a Kubernetes manifest where there is no group. */
export function resource(apiVersion: string, kind: string, metadata: string, spec = '{}'): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { ${metadata} }\nspec: ${spec}\n`;
}

const of = (apiVersion: string, kind: string) => (metadata: string, spec: string) =>
  resource(apiVersion, kind, metadata, spec);

export const virtualService = of('networking.istio.io/v1', 'VirtualService');
export const destinationRule = of('networking.istio.io/v1', 'DestinationRule');
export const serviceEntry = of('networking.istio.io/v1', 'ServiceEntry');
export const sidecar = of('networking.istio.io/v1', 'Sidecar');
export const gateway = of('networking.istio.io/v1', 'Gateway');
export const envoyFilter = of('networking.istio.io/v1alpha3', 'EnvoyFilter');
export const peerAuthentication = of('security.istio.io/v1', 'PeerAuthentication');
export const authorizationPolicy = of('security.istio.io/v1', 'AuthorizationPolicy');
export const requestAuthentication = of('security.istio.io/v1', 'RequestAuthentication');
export const telemetry = of('telemetry.istio.io/v1', 'Telemetry');
export const deployment = of('apps/v1', 'Deployment');
export const service = of('v1', 'Service');
export const namespace = (metadata: string) => `apiVersion: v1\nkind: Namespace\nmetadata: { ${metadata} }\n`;

/** What is told with one of the codes: `CODE level Kind namespace/name line`, each resource being a document. */
export function told(codes: string, documents: readonly string[], app: AppSpec | null = null): string[] {
  const { resources, findings } = readResources([{ name: 'f.yaml', text: documents.join('---\n') }], 0);
  const refused = findings.filter(({ level }) => level === 'error');
  if (refused.length > 0) throw new Error(JSON.stringify(refused));
  return [...findings, ...analyze(resources, app)]
    .filter(({ code }) => codes.split(' ').includes(code))
    .map(({ code, level, object, source }) => `${code} ${level} ${object} ${source.line}`);
}
