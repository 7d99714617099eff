import { selects } from '../model/app.js';
import { ROOT_NAMESPACE, type TelemetryPolicy } from '../model/policies.js';
import type { SidecarConfig } from '../model/sidecar-config.js';
import type { Caller } from './caller.js';

/** How much of what a workload begins is traced: its own policy before its namespace's before the mesh's, the oldest of several. */
export function samplingOf(
  policies: readonly TelemetryPolicy[],
  { namespace, labels }: Pick<Caller, 'namespace' | 'labels'>,
): Pick<SidecarConfig, 'samplePercent'> {
  const inForce = policies.toSorted((a, b) => a.created - b.created);
  const own = inForce.filter(({ object }) => object.namespace === namespace);
  const found =
    own.find(({ selector }) => selector !== null && selects(selector, labels)) ??
    own.find(({ selector }) => selector === null) ??
    inForce.find(({ object, selector }) => object.namespace === ROOT_NAMESPACE && selector === null);
  return found === undefined ? {} : { samplePercent: found.samplePercent };
}
