import { ROOT_NAMESPACE } from '../../model/policies.js';
import { ofKind } from '../resource.js';
import type { World } from './world.js';

/** Namespaces that every cluster with a mesh has. */
const ALWAYS = ['default', 'kube-system', ROOT_NAMESPACE];

/** Namespaces in which anything is known to be; null = only files are known, and nothing in them runs anywhere. */
export function knownNamespaces({ resources, workloads }: World): ReadonlySet<string> | null {
  const declared = ofKind(resources, 'kubernetes', 'Namespace').map(({ name }) => name);
  if (declared.length === 0 && workloads.length === 0) return null;
  return new Set([...ALWAYS, ...declared, ...[...workloads, ...resources].map(({ namespace }) => namespace)]);
}
