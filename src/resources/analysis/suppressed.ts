import type { Finding } from '../../model/finding.js';
import { objectName } from '../../model/policies.js';
import type { Resource } from '../resource.js';

const ANNOTATION = 'galley.istio.io/analyze-suppress';

/** Findings but for those that a resource does not want to be told: it lists their codes, or `*`, as for istioctl. */
export function unsuppressed(found: readonly Finding[], resources: readonly Resource[]): Finding[] {
  const silent = new Map(
    resources
      .filter(({ annotations }) => annotations[ANNOTATION] !== undefined)
      .map((one) => [objectName(one), (one.annotations[ANNOTATION] ?? '').split(',').map((code) => code.trim())]),
  );
  if (silent.size === 0) return [...found];
  return found.filter(({ object, code, also = [] }) => {
    const codes = silent.get(object) ?? [];
    return !codes.includes('*') && ![code, ...also].some((one) => codes.includes(one));
  });
}
