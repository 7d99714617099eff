import type { Command } from 'commander';
import type { EdgeStats, WorkloadView } from '../../protocol/api-types.js';
import { type Context, clientOf, findSandbox } from '../context.js';
import { formatBytes, formatMs, type Output, table } from '../output.js';

export function addStatus(program: Command, context: Context): void {
  program
    .command('status')
    .description('the sandbox at a glance: workloads, edges, what each sidecar costs')
    .option('--name <name>', 'which sandbox')
    .option('-o, --output <format>', 'text, json or env', 'text')
    .action((flags: { name?: string; output: string }) => run(context, flags));
}

async function run(context: Context, flags: { name?: string; output: string }): Promise<void> {
  const { output } = context;
  const state = findSandbox(context, flags.name);
  const client = clientOf(state);
  const [status, workloads, edges, faults] = await Promise.all([
    client.call('status', {}),
    client.call('workloads', {}),
    client.call('edges', {}),
    client.call('faults', {}),
  ]);
  if (flags.output === 'json') return output.json({ status, workloads, edges, faults });
  if (flags.output === 'env') {
    output.print(`MESH_SANDBOX_URL=${status.gatewayUrl}`);
    output.print(`MESH_SANDBOX_NAME=${status.sandbox.name}`);
    return;
  }
  const { features, load } = status;
  output.print(
    `${output.style('bold', status.sandbox.name)} (${status.app}) on ${status.runtime}: ${status.gatewayUrl}  ${status.ready ? output.style('green', 'ready') : output.style('yellow', 'not ready')}`,
  );
  output.print(
    `configuration ${status.version} · seed ${status.seed} · mTLS ${features.mtls} · retries ${features.retries ? 'on' : 'off'} · load ${load.rps}/s (${load.ok} ok, ${load.failed} failed) · faults ${faults.length}`,
  );
  output.print('');
  for (const line of workloadTable(workloads)) output.print(line);
  output.print('');
  for (const line of edgeTable(edges, output)) output.print(line);
}

function workloadTable(workloads: readonly WorkloadView[]): string[] {
  const memory = (view: WorkloadView, part: 'sidecar' | 'app'): string => {
    const usage = view.usage[part];
    return usage === null ? '-' : `${formatBytes(usage.memoryBytes)} ${(usage.cpu * 100).toFixed(1)}%`;
  };
  const rows = workloads.map((view) => [
    view.name,
    view.sidecar,
    view.appReady ? 'ready' : 'not ready',
    configOf(view),
    memory(view, 'sidecar'),
    view.role === 'gateway' ? '-' : memory(view, 'app'),
    String(view.restarts.sidecar + view.restarts.app),
    view.dnsNames[0] ?? (view.spiffeId || 'none'),
  ]);
  return table(['WORKLOAD', 'SIDECAR', 'APP', 'CONFIG', 'SIDECAR COST', 'APP COST', 'RESTARTS', 'IDENTITY'], rows);
}

function configOf({ role, nack, ackedVersion, wantedVersion }: WorkloadView): string {
  if (role === 'none') return '-';
  if (nack !== null) return 'refused';
  return ackedVersion >= wantedVersion ? 'current' : 'stale';
}

function edgeTable(edges: readonly EdgeStats[], _output: Output): string[] {
  const rows = [...edges]
    .sort((a, b) => a.source.localeCompare(b.source) || a.destination.localeCompare(b.destination))
    .map((edge) => [
      edge.source,
      edge.destination || edge.service,
      edge.rps.toFixed(1),
      share(edge.successRate),
      share(edge.attemptSuccessRate),
      edge.retriesPerSecond.toFixed(1),
      formatMs(edge.p50Ms),
      formatMs(edge.p99Ms),
      secured(edge.mtlsShare),
    ]);
  return table(['FROM', 'TO', 'REQ/S', 'EFFECTIVE', 'ACTUAL', 'RETRIES/S', 'P50', 'P99', 'SECURED'], rows);
}

/** What crossed in plaintext is shouted; where nothing crossed there is nothing to say. */
function secured(mtlsShare: number | null): string {
  if (mtlsShare === null) return '-';
  if (mtlsShare === 0) return 'PLAIN';
  return mtlsShare === 1 ? 'mTLS' : `${Math.round(mtlsShare * 100)} % mTLS`;
}

function share(value: number | null): string {
  return value === null ? '-' : `${(value * 100).toFixed(value === 1 ? 0 : 1)} %`;
}
