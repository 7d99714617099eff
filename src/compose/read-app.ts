import { basename, dirname, resolve } from 'node:path';
import type { AppSpec, ServiceSpec, WorkloadSpec } from '../model/app.js';
import { nearest } from '../model/nearest.js';
import { type MeshExtension, readMeshExtension } from './extension.js';
import type { Environment } from './interpolate.js';
import { Findings, type Problem } from './problems.js';
import { readService } from './service.js';
import { parseYaml, type YamlView } from './yaml-view.js';

export { formatProblem, type Problem } from './problems.js';

export interface ReadInput {
  readonly text: string;
  /** Name for messages, and for the app when it has none. */
  readonly file: string;
  /** Values for `${…}`. */
  readonly environment: Environment;
}

export type ReadResult =
  | { readonly ok: true; readonly app: AppSpec }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const TOP_LEVEL = [
  'name',
  'version',
  'services',
  'networks',
  'volumes',
  'secrets',
  'configs',
  'include',
  'models',
  'x-mesh',
];

/** Reads a Compose file as an app. All problems of the file at once, each with its place; never throws. */
export function readApp({ text, file, environment }: ReadInput): ReadResult {
  const findings = new Findings();
  const root = parseYaml(text, file, findings);
  const app = root === null ? null : readRoot(root, file, environment, findings);
  if (app === null || findings.problems.length > 0) return { ok: false, problems: findings.problems };
  return { ok: true, app };
}

function readRoot(root: YamlView, file: string, environment: Environment, findings: Findings): AppSpec | null {
  const entries = new Map(root.entries('the file').map((entry) => [entry.key, entry]));
  for (const [key, { keySource }] of entries) {
    if (!TOP_LEVEL.includes(key) && !key.startsWith('x-')) findings.unknownKey(keySource, key, 'the file', TOP_LEVEL);
  }
  const services = entries.get('services');
  if (services === undefined || services.value.kind !== 'map') {
    findings.problem(root.source, 'there are no services in this file', 'services: { NAME: { image: … } }');
    return null;
  }
  const workloads = services.value.entries('services').map(({ key, keySource, value }) => {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(key))
      findings.problem(
        keySource,
        `${JSON.stringify(key)} cannot be a workload`,
        'lower-case letters, digits and dashes',
      );
    return readService({ name: key, view: value, environment, findings });
  });
  const mesh = readMeshExtension(entries.get('x-mesh')?.value ?? null, findings);
  const named = servicesOf(workloads);
  return {
    name: entries.get('name')?.value.text('name') ?? nameOf(file),
    file,
    workloads,
    services: named,
    gateway: gatewayOf(mesh, named, root, findings),
    load: { rps: mesh.load.rps ?? 0, paths: mesh.load.paths ?? ['/'] },
    settings: settingsOf(mesh, named, findings),
    warnings: findings.warnings,
  };
}

/** As Compose: the folder of a `compose.yaml`; any other file names the app itself. */
function nameOf(file: string): string {
  const stem = basename(file).replace(/\.ya?ml$/, '');
  return /^(docker-)?compose(\.|$)/.test(stem) ? basename(dirname(resolve(file))) : stem;
}

/** Workloads of the same app form one service with all their ports. */
function servicesOf(workloads: readonly WorkloadSpec[]): ServiceSpec[] {
  const services = new Map<string, ServiceSpec>();
  for (const { app, ports } of workloads) {
    const known = services.get(app)?.ports ?? [];
    const added = ports.filter(({ port }) => !known.some((other) => other.port === port));
    services.set(app, { name: app, ports: [...known, ...added] });
  }
  return [...services.values()];
}

function gatewayOf(
  mesh: MeshExtension,
  services: readonly ServiceSpec[],
  root: YamlView,
  findings: Findings,
): AppSpec['gateway'] {
  if (mesh.gateway === null) {
    const first = services.find(({ ports }) => ports.some(({ protocol }) => protocol === 'http'));
    if (first === undefined)
      findings.problem(root.source, 'no service has an HTTP port, so nothing can be reached', 'ports: ["8080"]');
    return { service: first?.name ?? '', port: first?.ports.find(({ protocol }) => protocol === 'http')?.port ?? 0 };
  }
  const { service, port, view } = mesh.gateway;
  const found = services.find(({ name }) => name === service);
  if (found === undefined) {
    if (service !== '') unknownService(view, service, 'x-mesh.gateway.service', services, findings);
    return { service, port: port ?? 0 };
  }
  const wanted = port ?? found.ports[0]?.port ?? 0;
  if (!found.ports.some((candidate) => candidate.port === wanted)) {
    findings.problem(
      view.source,
      `${service} has no port ${wanted}`,
      `it has: ${found.ports.map((p) => p.port).join(', ') || 'none'}`,
    );
  }
  return { service, port: wanted };
}

function settingsOf(mesh: MeshExtension, services: readonly ServiceSpec[], findings: Findings): AppSpec['settings'] {
  const settings: Record<string, AppSpec['settings'][string]> = {};
  for (const [name, entry] of mesh.services) {
    if (!services.some((service) => service.name === name))
      unknownService(entry.view, name, 'x-mesh.services', services, findings);
    settings[name] = entry.settings;
  }
  return settings;
}

function unknownService(
  view: YamlView,
  name: string,
  where: string,
  services: readonly ServiceSpec[],
  findings: Findings,
): void {
  const names = services.map((service) => service.name);
  const close = nearest(name, names);
  findings.problem(
    view.source,
    `${where}: unknown service ${JSON.stringify(name)}`,
    close === null ? `there are: ${names.join(', ')}` : `did you mean ${close}?`,
  );
}
