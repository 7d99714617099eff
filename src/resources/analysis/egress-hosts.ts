import { sourceOf } from '../../yaml/positions.js';
import type { Sidecar } from '../istio/others.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

/** Hosts of a Sidecar that others of the same listener hold already (pkg/config/validation, ValidateSidecar). */
export function analyzeEgressHosts({ resources }: World, tell: Tell): void {
  for (const sidecar of ofKind<Sidecar>(resources, 'istio', 'Sidecar'))
    for (const { hosts } of sidecar.spec.egress ?? []) {
      const full = hosts.map((host) => host.replace(/^\.\//, `${sidecar.namespace}/`));
      for (const [i, host] of full.entries()) {
        const holder = full.find((other, at) => at !== i && holds(other, host) && !(other === host && at > i));
        if (holder !== undefined)
          tell('IST0133', 'warning', sidecar, sourceOf(hosts, i), `${hosts[i]} is held by ${holder} already`, {
            hint: 'leave it out',
          });
      }
    }
}

/** Of one namespace, or of all. */
function holds(one: string, other: string): boolean {
  return one === other || one === '*/*' || (one.endsWith('/*') && other.startsWith(one.slice(0, -1)));
}
