import type { EdgeStats, WorkloadView } from '../../protocol/api-types.js';
import type { Mesh } from './state.js';

/** One line of the tree: a service, a version of it, or both when there is only one version. */
export interface TopologyRow {
  /** For each level above whether more siblings follow; the last entry is the row's own. */
  readonly trunk: readonly boolean[];
  readonly label: string;
  /** Name that faults may aim at: a workload or a service. */
  readonly target: string;
  readonly service: string;
  readonly workload: WorkloadView | null;
  /** Traffic from the workload above to this one; null for the gateway, pure services and idle ones. */
  readonly edge: EdgeStats | null;
  readonly idle: boolean;
}

interface Node {
  readonly row: Omit<TopologyRow, 'trunk'>;
  readonly children: readonly Node[];
}

/** The mesh as a tree of calls from the gateway down; what nobody calls stands at the end. */
export function topologyRows(mesh: Mesh): readonly TopologyRow[] {
  const expanded = new Set<string>();
  const roots = mesh.workloads
    .filter(({ role }) => role === 'gateway')
    .map((gateway) => rootOf(gateway, mesh, expanded));
  // A caller that nobody calls (a job, `curl --from`) is a root of its own.
  const called = new Set(mesh.edges.map(({ destination }) => destination));
  for (const workload of mesh.workloads) {
    const calls = mesh.edges.some(({ source }) => source === workload.name);
    if (!expanded.has(workload.name) && calls && !called.has(workload.name))
      roots.push(rootOf(workload, mesh, expanded));
  }
  const idle = mesh.workloads.filter(({ name }) => !expanded.has(name)).map((workload) => leafOf(workload));
  return [...roots, ...idle].flatMap((node) => flatten(node, []));
}

function rootOf(workload: WorkloadView, mesh: Mesh, expanded: Set<string>): Node {
  return { ...leafOf(workload, false), children: callsOf(workload.name, mesh, expanded) };
}

function leafOf(workload: WorkloadView, idle = true): Node {
  const { name, app } = workload;
  return { row: { label: name, target: name, service: app, workload, edge: null, idle }, children: [] };
}

/** Services that `workload` calls, each with the versions that answered. A workload's own calls are shown once. */
function callsOf(workload: string, mesh: Mesh, expanded: Set<string>): readonly Node[] {
  if (expanded.has(workload)) return [];
  expanded.add(workload);
  const edges = mesh.edges.filter(({ source }) => source === workload);
  const services = [...new Set(edges.map(({ service }) => service))].sort();
  return services.map((service) => serviceNode(service, edges, mesh, expanded));
}

function serviceNode(service: string, edges: readonly EdgeStats[], mesh: Mesh, expanded: Set<string>): Node {
  const mine = edges.filter((edge) => edge.service === service).sort((a, b) => compare(a.destination, b.destination));
  const versions = mine.map((edge) => versionNode(edge, mesh, expanded));
  const only = versions[0];
  const siblings = mesh.workloads.filter(({ app }) => app === service).length;
  if (versions.length === 1 && only !== undefined && siblings < 2) return only;
  const row = { label: service, target: service, service, workload: null, edge: null, idle: false };
  return { row, children: versions };
}

function versionNode(edge: EdgeStats, mesh: Mesh, expanded: Set<string>): Node {
  const { destination, service } = edge;
  const workload = mesh.workloads.find(({ name }) => name === destination) ?? null;
  const label = destination === '' ? `${service} (no endpoint)` : destination;
  return {
    row: { label, target: destination || service, service, workload, edge, idle: false },
    children: destination === '' ? [] : callsOf(destination, mesh, expanded),
  };
}

function flatten({ row, children }: Node, trunk: readonly boolean[]): readonly TopologyRow[] {
  const below = children.flatMap((child, index) => flatten(child, [...trunk, index < children.length - 1]));
  return [{ ...row, trunk }, ...below];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
