import { selects, type TargetName } from '../../model/app.js';
import { ofKind, type Resource } from '../resource.js';
import type { Deployment } from './deployment.js';

/** A port of containers by its name, with the numbers that manifests of the pods of a selector give to it. */
export function targetNamed(
  name: string,
  namespace: string,
  selector: Readonly<Record<string, string>>,
  resources: readonly Resource[],
): TargetName {
  const pods = ofKind<Deployment>(resources, 'kubernetes', 'Deployment')
    .filter((one) => one.namespace === namespace && selects(selector, one.spec.template?.metadata?.labels ?? {}))
    .map(({ spec }) => {
      const port = (spec.template?.spec?.containers ?? [])
        .flatMap(({ ports = [] }) => ports)
        .find((one) => one.name === name)?.containerPort;
      const labels = spec.selector?.matchLabels ?? spec.template?.metadata?.labels ?? {};
      return { labels, port: port ?? null };
    });
  return { name, pods };
}
