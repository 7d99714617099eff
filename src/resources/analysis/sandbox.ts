import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind } from '../resource.js';
import type { Fault } from '../sandbox/fault.js';
import type { RateLimitSpec } from '../sandbox/rate-limit.js';
import type { Tell, World } from './world.js';

/** Faults and limits at somebody whom there is not. */
export function analyzeSandbox(world: World, tell: Tell): void {
  if (!world.complete) return;
  const known = [...new Set([...world.services, ...world.workloads].map(({ name }) => name))];
  const targets = [
    ...ofKind<Fault>(world.resources, 'sandbox', 'Fault'),
    ...ofKind<RateLimitSpec>(world.resources, 'sandbox', 'RateLimit'),
  ];
  for (const one of targets) {
    const { to } = one.spec;
    if (known.includes(to)) continue;
    const close = nearest(to, known);
    tell(
      'MS0011',
      'error',
      one,
      sourceOf(one.spec, 'to'),
      `there is no service or workload ${to}, so it acts nowhere`,
      {
        hint: close === null ? `there are: ${known.join(', ')}` : `did you mean ${close}?`,
      },
    );
  }
}
