import { selects } from '../../model/app.js';
import { READING } from '../../model/finding.js';
import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind } from '../resource.js';
import type { Fault } from '../sandbox/fault.js';
import type { RateLimitSpec } from '../sandbox/rate-limit.js';
import type { Tell, World } from './world.js';

/** Faults and limits at somebody whom there is not, or who speaks no HTTP. */
export function analyzeSandbox(world: World, tell: Tell): void {
  if (!world.complete) return;
  const known = [...new Set([...world.services, ...world.workloads].map(({ name }) => name))];
  const targets = [
    ...ofKind<Fault>(world.resources, 'sandbox', 'Fault'),
    ...ofKind<RateLimitSpec>(world.resources, 'sandbox', 'RateLimit'),
  ];
  for (const one of targets) {
    const { to } = one.spec;
    if (known.includes(to)) {
      if (speaksNoHttp(to, world))
        tell(
          READING.unsupportedField,
          'warning',
          one,
          sourceOf(one.spec, 'to'),
          `${to} is called by TCP, and a ${one.kind} acts on requests of HTTP, so it has no effect`,
        );
      continue;
    }
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

function speaksNoHttp(to: string, { services, workloads }: World): boolean {
  const workload = workloads.find(({ name }) => name === to);
  const service = services.find(
    ({ name, namespace, selector }) =>
      name === to ||
      (workload !== undefined &&
        selector !== null &&
        namespace === workload.namespace &&
        selects(selector, workload.labels)),
  );
  return service !== undefined && service.ports.length > 0 && service.ports.every(({ protocol }) => protocol === 'tcp');
}
