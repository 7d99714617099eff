import type { RequestOf } from '../../protocol/api.js';
import type { State } from './state.js';
import { topologyRows } from './topology.js';

/** Names a fault may aim at: every service, and every workload of a service that has several. */
export function faultTargets({ mesh }: State): readonly string[] {
  const sidecars = mesh.workloads.filter(({ role }) => role === 'sidecar');
  const services = [...new Set(sidecars.map(({ app }) => app))].sort();
  return services.flatMap((service) => {
    const versions = sidecars.filter(({ app }) => app === service).map(({ name }) => name);
    return versions.length < 2 ? [service] : [service, ...versions.sort()];
  });
}

export interface FaultPreset {
  readonly label: string;
  readonly lesson: string;
  readonly fault: Omit<RequestOf<'addFault'>, 'to'>;
}

/** Few and telling: each shows another side of retries and timeouts. */
export const FAULT_PRESETS: readonly FaultPreset[] = [
  { label: 'abort 503, 50 %', lesson: 'retries hide most of it', fault: { abort: 503, percent: 50 } },
  { label: 'abort 503, first 3', lesson: 'a service that starts slowly', fault: { abort: 503, first: 3 } },
  { label: 'delay 2 s', lesson: 'timeouts and their budget', fault: { delayMs: 2000 } },
  { label: 'reset 30 %', lesson: 'connections that break', fault: { reset: true, percent: 30 } },
];

/** The menu opens at what the eye is on. */
export function suggestedTarget(state: State): number {
  const targets = faultTargets(state);
  return Math.max(0, targets.indexOf(targetUnderCursor(state)));
}

function targetUnderCursor(state: State): string {
  const { screen, cursor, mesh } = state;
  if (screen === 'topology') {
    const row = topologyRows(mesh)[cursor.topology];
    const versions = mesh.workloads.filter(({ app }) => app === row?.service).length;
    return (versions < 2 ? row?.service : row?.target) ?? '';
  }
  if (screen === 'workloads') return mesh.workloads[cursor.workloads]?.name ?? '';
  if (screen === 'faults') return mesh.faults[cursor.faults]?.to ?? '';
  return '';
}
