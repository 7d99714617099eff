import { describeFault } from '../../model/fault.js';
import type { FaultView } from '../../protocol/api-types.js';
import type { TopologyRow } from '../store/topology.js';

/** Faults that strike this row: at the workload itself, or at its service. */
export function faultsAt(row: TopologyRow, faults: readonly FaultView[]): readonly FaultView[] {
  return faults.filter(({ to }) => to === row.target || (row.workload !== null && to === row.service));
}

export function faultSentence(fault: FaultView): string {
  return `${fault.enabled ? '' : '(off) '}${fault.name}: ${describeFault(fault)}; ${fault.hits} hits`;
}
