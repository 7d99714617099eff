import { sourceOf } from '../../yaml/positions.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

type Labels = Readonly<Record<string, string>>;

interface Selecting {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly workloadSelector?: { readonly labels?: Labels; readonly matchLabels?: Labels };
}

const KINDS = [
  ...['AuthorizationPolicy', 'DestinationRule', 'EnvoyFilter', 'PeerAuthentication', 'RequestAuthentication'],
  ...['ServiceEntry', 'Sidecar', 'Telemetry'],
];

/** Selectors without a label, which choose everybody: likely not what was meant (pkg/config/validation). */
export function analyzeEmptySelectors({ resources }: World, tell: Tell): void {
  for (const kind of KINDS)
    for (const object of ofKind<Selecting>(resources, 'istio', kind)) {
      const { selector, workloadSelector } = object.spec;
      const labels = selector?.matchLabels ?? workloadSelector?.labels ?? workloadSelector?.matchLabels ?? {};
      if ((selector === undefined && workloadSelector === undefined) || Object.keys(labels).length > 0) continue;
      const field = selector === undefined ? 'workloadSelector' : 'selector';
      tell(
        'IST0133',
        'warning',
        object,
        sourceOf(object.spec, field),
        `the ${field} has no labels: it chooses all of ${object.namespace}`,
        {
          hint: `leave the ${field} out, or name labels`,
        },
      );
    }
}
