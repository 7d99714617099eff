import type { ObjectRef } from '../../model/policies.js';
import type { Sidecar } from '../istio/others.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

const MODE = 'istio.io/dataplane-mode';

/** Sidecars that are about workloads of the ambient mesh, which have none (istioctl's sidecar.SelectorAnalyzer). */
export function analyzeAmbient(world: World, tell: Tell): void {
  const ambient = new Set(
    ofKind(world.resources, 'kubernetes', 'Namespace')
      .filter(({ labels }) => labels[MODE] === 'ambient')
      .map(({ name }) => name),
  );
  for (const sidecar of ofKind<Sidecar>(world.resources, 'istio', 'Sidecar')) {
    const labels = sidecar.spec.workloadSelector?.labels;
    if (labels === undefined) {
      if (ambient.has(sidecar.namespace)) tellWithout(sidecar, `the namespace ${sidecar.namespace} is`, tell);
      continue;
    }
    const workload = world
      .workloadsFor(sidecar.namespace, labels)
      .find(({ labels: own }) => isAmbient(own, ambient.has(sidecar.namespace)));
    if (workload !== undefined) tellWithout(sidecar, `${workload.name} is`, tell);
  }
}

function tellWithout(sidecar: ObjectRef, who: string, tell: Tell): void {
  tell('IST0167', 'warning', sidecar, null, `${who} in ambient mode, without sidecars: it has no effect`, {
    hint: 'an AuthorizationPolicy, or a waypoint with routes',
  });
}

/** A label of the pod goes before that of its namespace, and one that asks for a sidecar before both. */
function isAmbient(labels: Readonly<Record<string, string>>, namespace: boolean): boolean {
  if (labels['sidecar.istio.io/inject'] === 'true') return false;
  return labels[MODE] === undefined ? namespace : labels[MODE] === 'ambient';
}
