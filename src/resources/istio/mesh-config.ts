import type { Authorizer } from '../../model/authorization.js';
import { READING } from '../../model/finding.js';
import { clusterName } from '../../model/names.js';
import { ROOT_NAMESPACE } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { Findings } from '../../yaml/problems.js';
import { flag, list, openTable, type Read, record, table, tableWith, text, unsupported } from '../../yaml/readers.js';
import { mapView, parseYamlDocuments, type YamlView } from '../../yaml/view.js';
import type { ConfigMap } from '../kubernetes/config-map.js';
import { ofKind, type Report, type Resource } from '../resource.js';
import { goDuration, passed, portNumber } from '../words.js';

/**
 * The ConfigMap `istio` of the root namespace, whose `mesh` is Istio's MeshConfig, as far as policies need it: the external
 * authorizers that AuthorizationPolicies of action CUSTOM name (istio.io/api mesh/v1alpha1, ExtensionProvider).
 */

const fields = list(text);

const httpProvider = tableWith(['service', 'port'], {
  service: text,
  port: portNumber(),
  timeout: goDuration,
  pathPrefix: text,
  failOpen: flag,
  statusOnError: text,
  includeRequestHeadersInCheck: fields,
  includeHeadersInCheck: fields,
  includeAdditionalHeadersInCheck: record(text),
  includeRequestBodyInCheck: unsupported('authorizers are asked without the body'),
  headersToUpstreamOnAllow: fields,
  headersToDownstreamOnAllow: unsupported('what an app answers stays as it is'),
  headersToDownstreamOnDeny: fields,
  clearRouteCache: passed,
});

const provider = openTable({
  name: text,
  envoyExtAuthzHttp: httpProvider,
  envoyExtAuthzGrpc: unsupported('authorizers are asked by HTTP: nobody is let in whom a policy sends there'),
});

const meshConfig = table({ extensionProviders: list(provider) });

/** Other words of MeshConfig are told, each once. */
const SET_UP_ELSEWHERE = 'the mesh is set up by x-mesh and the command line';

function meshOf({ name, namespace, spec, source }: Resource<ConfigMap>, findings: Findings): YamlView | undefined {
  const mesh = spec.data?.mesh;
  if (name !== 'istio' || namespace !== ROOT_NAMESPACE || mesh === undefined) return undefined;
  // A block of text begins on the line behind its key.
  const firstLine = sourceOf(spec.data ?? spec, 'mesh').line + 1;
  return parseYamlDocuments(mesh, source.file, findings, firstLine)?.[0]?.view;
}

function read(resource: Resource<ConfigMap>, findings: Findings) {
  const view = meshOf(resource, findings);
  if (view === undefined) return undefined;
  for (const { key, keySource } of view.entries('mesh'))
    if (key !== 'extensionProviders') findings.unsupported(keySource, `mesh.${key}`, SET_UP_ELSEWHERE);
  return meshConfig(
    mapView(view, ({ key }) => key === 'extensionProviders'),
    'mesh',
    findings,
  );
}

const defaults = openTable({
  enableAutoMtls: flag,
  defaultProviders: openTable({ accessLogging: list(text) }),
});

/** What MeshConfig says and no sidecar here obeys, for the analysis: it says what a cluster would do. */
export function meshDefaultsOf(resources: readonly Resource[]): Read<typeof defaults> {
  for (const resource of ofKind<ConfigMap>(resources, 'kubernetes', 'ConfigMap')) {
    const findings = new Findings();
    const view = meshOf(resource, findings);
    if (view !== undefined) return defaults(view, 'mesh', findings) ?? {};
  }
  return {};
}

export function checkConfigMap(resource: Resource<ConfigMap>, report: Report): void {
  const findings = new Findings();
  read(resource, findings);
  for (const { source, message, hint } of findings.inFileOrder())
    report(READING.schema, 'error', source, message, hint);
  for (const { source, message, hint } of findings.unobeyed)
    report(READING.unsupportedField, 'warning', source, `${message} is not obeyed: ${hint}`);
}

/** External authorizers by their names. */
export function authorizersOf(resources: readonly Resource[]): Authorizer[] {
  return ofKind<ConfigMap>(resources, 'kubernetes', 'ConfigMap').flatMap((resource) =>
    (read(resource, new Findings())?.extensionProviders ?? []).flatMap(({ name, envoyExtAuthzHttp: spec }) => {
      if (name === undefined || spec === undefined) return [];
      const host = spec.service.split('/').at(-1) ?? spec.service;
      const lower = (names: readonly string[] = []): string[] => names.map((one) => one.toLowerCase());
      return [
        {
          name,
          cluster: clusterName(host, spec.port, ''),
          host: `${host}:${spec.port}`,
          port: spec.port,
          pathPrefix: spec.pathPrefix ?? '',
          timeoutMs: spec.timeout ?? 600_000,
          failOpen: spec.failOpen ?? false,
          statusOnError: Number(spec.statusOnError ?? 403),
          asked: lower([...(spec.includeRequestHeadersInCheck ?? []), ...(spec.includeHeadersInCheck ?? [])]),
          added: Object.entries(spec.includeAdditionalHeadersInCheck ?? {}).map(([key, value]) => [
            key.toLowerCase(),
            value,
          ]),
          onAllow: lower(spec.headersToUpstreamOnAllow),
          onDeny: spec.headersToDownstreamOnDeny === undefined ? null : lower(spec.headersToDownstreamOnDeny),
        },
      ];
    }),
  );
}
