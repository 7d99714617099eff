import { ROOT_NAMESPACE } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import type { AuthorizationPolicySpec } from '../istio/authorization-policy.js';
import type { PeerAuthentication, Sidecar } from '../istio/others.js';
import type { RequestAuthenticationSpec } from '../istio/request-authentication.js';
import type { Telemetry } from '../istio/telemetry.js';
import { ofKind, type Resource } from '../resource.js';
import { GATEWAY_NAME } from './gateway-policies.js';
import type { Tell, World } from './world.js';

/** Selectors that choose nobody, and resources that choose the same. */
export function analyzeSelectors(world: World, tell: Tell): void {
  const sidecars = ofKind<Sidecar>(world.resources, 'istio', 'Sidecar');
  const telemetries = ofKind<Telemetry>(world.resources, 'istio', 'Telemetry');
  const selected = [
    ...sidecars.map((one) => ({ object: one as Resource, labels: one.spec.workloadSelector?.labels })),
    ...ofKind<PeerAuthentication>(world.resources, 'istio', 'PeerAuthentication').map((one) => ({
      object: one as Resource,
      labels: one.spec.selector?.matchLabels,
    })),
    ...['AuthorizationPolicy', 'RequestAuthentication'].flatMap((kind) =>
      ofKind<AuthorizationPolicySpec | RequestAuthenticationSpec>(world.resources, 'istio', kind).map((one) => ({
        object: one as Resource,
        labels: one.spec.selector?.matchLabels,
      })),
    ),
    ...telemetries.map((one) => ({ object: one as Resource, labels: one.spec.selector?.matchLabels })),
  ];
  for (const { object, labels } of selected) {
    if (labels === undefined || Object.keys(labels).length === 0 || world.workloads.length === 0) continue;
    const chosen = object.namespace === ROOT_NAMESPACE ? world.workloads : world.workloadsFor(object.namespace, labels);
    // The pods of Gateways are Istio's own.
    if (chosen.length === 0 && !(GATEWAY_NAME in labels))
      tell(
        'IST0127',
        'warning',
        object,
        sourceOf(labels),
        `the selector ${textOf(labels)} matches no workload in ${object.namespace}`,
        { also: ['KIA0004'] },
      );
  }
  conflicts(world, sidecars, (one) => one.spec.workloadSelector?.labels, ['IST0110', 'IST0111'], tell);
  conflicts(world, telemetries, (one) => one.spec.selector?.matchLabels, ['IST0159', 'IST0160'], tell);
  for (const sidecar of sidecars)
    if (sidecar.namespace === ROOT_NAMESPACE && sidecar.spec.workloadSelector !== undefined)
      tell(
        'KIA1006',
        'warning',
        sidecar,
        sourceOf(sidecar.spec, 'workloadSelector'),
        'the Sidecar of the root namespace is the default of the whole mesh and must not select workloads',
      );
}

/** Two of one kind that select one workload, or two without a selector in a namespace: which one counts is not laid down. */
function conflicts<S>(
  world: World,
  resources: readonly Resource<S>[],
  labelsOf: (resource: Resource<S>) => Readonly<Record<string, string>> | undefined,
  [same, none]: readonly [string, string],
  tell: Tell,
): void {
  for (const [i, resource] of resources.entries())
    for (const other of resources.slice(0, i)) {
      if (other.namespace !== resource.namespace) continue;
      const [a, b] = [labelsOf(resource), labelsOf(other)];
      if (a === undefined && b === undefined)
        for (const one of [other, resource])
          tell(
            none,
            'error',
            one,
            null,
            `${other.name} and ${resource.name} have no selector, so both are about all of ${resource.namespace}`,
            { also: ['KIA0002'] },
          );
      if (a === undefined || b === undefined) continue;
      const shared = world
        .workloadsFor(resource.namespace, a)
        .find((workload) => world.workloadsFor(resource.namespace, b).includes(workload));
      if (shared !== undefined)
        for (const one of [other, resource])
          tell(same, 'error', one, null, `${other.name} and ${resource.name} both select ${shared.name}`, {
            also: ['KIA0003'],
          });
    }
}

export function textOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}
