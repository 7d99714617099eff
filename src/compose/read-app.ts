import { basename, dirname, resolve } from 'node:path';
import {
  type AppPort,
  type AppSpec,
  type ServiceSpec,
  type SourceRef,
  serviceOf,
  type WorkloadSpec,
} from '../model/app.js';
import { serviceKey } from '../model/names.js';
import { Findings, type Problem, suggestion } from '../yaml/problems.js';
import { parseYaml, type YamlView } from '../yaml/view.js';
import { type MeshExtension, readMeshExtension } from './extension.js';
import type { Environment } from './interpolate.js';
import { checkTopLevelKeys } from './known-keys.js';
import { expander, HOST_LABEL, isHostLabel, readService } from './service.js';

export { formatProblem, type Problem } from '../yaml/problems.js';

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

/** Reads a Compose file as an app. All problems of the file at once, each with its place; never throws. */
export function readApp({ text, file, environment }: ReadInput): ReadResult {
  const findings = new Findings();
  const root = parseYaml(text, file, findings);
  const app = root === null ? null : readRoot(root, file, environment, findings);
  if (app === null || findings.problems.length > 0) return { ok: false, problems: findings.inFileOrder() };
  return { ok: true, app };
}

function readRoot(root: YamlView, file: string, environment: Environment, findings: Findings): AppSpec | null {
  const entries = new Map(root.entries('the file').map((entry) => [entry.key, entry]));
  checkTopLevelKeys(entries.values(), findings);
  const services = entries.get('services')?.value.entries('services') ?? [];
  if (services.length === 0) {
    findings.problem(root.source, 'there are no services in this file', 'services: { NAME: { image: … } }');
    return null;
  }
  const workloads = services.map(({ key, keySource, value }) => {
    if (!isHostLabel(key))
      findings.problem(keySource, `${JSON.stringify(key)} cannot be the name of a workload`, HOST_LABEL);
    return readService({ name: key, view: value, environment, findings });
  });
  const mesh = readMeshExtension(entries.get('x-mesh')?.value ?? null, findings);
  const named = servicesOf(workloads, findings);
  const name = entries.get('name')?.value;
  return {
    name: (name && expander(environment, findings)(name, 'name')) || nameOf(file),
    file,
    workloads,
    services: named,
    gateway: gatewayOf(mesh, named, root, findings),
    load: { rps: mesh.load.rps ?? 0, paths: mesh.load.paths ?? ['/'] },
    settings: settingsOf(mesh, named, workloads, findings),
    limits: mesh.limits,
    propagation: mesh.propagation,
    warnings: findings.warnings,
  };
}

/** As Compose: the folder of a `compose.yaml`; any other file names the app itself. */
function nameOf(file: string): string {
  const stem = basename(file).replace(/\.ya?ml$/, '');
  return /^(docker-)?compose(\.|$)/.test(stem) ? basename(dirname(resolve(file))) : stem;
}

/** Workloads of the same app form one service with all their ports. */
function servicesOf(workloads: readonly WorkloadSpec[], findings: Findings): ServiceSpec[] {
  const services = new Map<string, { app: string; namespace: string; ports: AppPort[] }>();
  for (const { name, app, namespace, ports, source } of workloads) {
    const key = serviceKey(app, namespace);
    const known = services.get(key)?.ports ?? [];
    const added = ports.filter(({ port, protocol }) => {
      const other = known.find((candidate) => candidate.port === port);
      if (other !== undefined && other.protocol !== protocol && source !== null)
        findings.problem(
          source,
          `services.${name}: port ${port} is ${protocol} here and ${other.protocol} in other workloads of ${app}`,
          'say the same in the x-mesh.ports of all of them',
        );
      return other === undefined;
    });
    services.set(key, { app, namespace, ports: [...known, ...added] });
  }
  return [...services.values()].map(({ app, namespace, ports }, index) => serviceOf(app, namespace, ports, index));
}

function gatewayOf(
  mesh: MeshExtension,
  services: readonly ServiceSpec[],
  root: YamlView,
  findings: Findings,
): AppSpec['gateway'] {
  if (mesh.gateway === null) {
    const first = services.find(({ ports }) => firstHttp(ports) !== null);
    if (first === undefined && services.length > 0)
      findings.problem(root.source, 'no service has an HTTP port, so nothing can be reached', 'ports: ["8080"]');
    return { service: first?.name ?? '', port: firstHttp(first?.ports ?? []) ?? 0 };
  }
  const { service, serviceSource, port, portSource } = mesh.gateway;
  const found = services.find(({ name }) => name === service);
  if (found === undefined) {
    if (service !== '') unknownService(serviceSource, service, 'x-mesh.gateway.service', services, findings);
    return { service, port: port ?? 0 };
  }
  const wanted = port ?? firstHttp(found.ports);
  if (wanted === null) findings.problem(serviceSource, `${service} has no HTTP port`, 'ports: ["8080"]');
  else checkGatewayPort(found, wanted, portSource, findings);
  return { service, port: wanted ?? 0 };
}

function firstHttp(ports: readonly AppPort[]): number | null {
  return ports.find(({ protocol }) => protocol === 'http')?.port ?? null;
}

function checkGatewayPort({ name, ports }: ServiceSpec, wanted: number, source: SourceRef, findings: Findings): void {
  const found = ports.find(({ port }) => port === wanted);
  const all = ports.map(({ port }) => port).join(', ') || 'none';
  if (found === undefined) findings.problem(source, `${name} has no port ${wanted}`, `it has: ${all}`);
  else if (found.protocol !== 'http')
    findings.problem(source, `port ${wanted} of ${name} is not HTTP, and the gateway speaks nothing else`);
}

function settingsOf(
  mesh: MeshExtension,
  services: readonly ServiceSpec[],
  workloads: readonly WorkloadSpec[],
  findings: Findings,
): AppSpec['settings'] {
  const callers = new Set(workloads.flatMap((workload) => [workload.name, workload.app]));
  const settings: Record<string, AppSpec['settings'][string]> = {};
  for (const [name, entry] of mesh.services) {
    if (!services.some((service) => service.name === name))
      unknownService(entry.keySource, name, 'x-mesh.services', services, findings);
    for (const caller of entry.settings.routes.flatMap(({ from }) => from))
      if (!callers.has(caller))
        findings.problem(
          entry.keySource,
          `x-mesh.services.${name}.routes: from names ${JSON.stringify(caller)}, which is no workload and no service`,
          suggestion(caller, [...callers], 'there are'),
        );
    settings[name] = entry.settings;
  }
  return settings;
}

function unknownService(
  source: SourceRef,
  name: string,
  where: string,
  services: readonly ServiceSpec[],
  findings: Findings,
): void {
  const names = services.map((service) => service.name);
  findings.problem(source, `${where}: unknown service ${JSON.stringify(name)}`, suggestion(name, names, 'there are'));
}
