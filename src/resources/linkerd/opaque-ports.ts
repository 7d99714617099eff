import type { OpaquePorts, PortRange } from '../../model/policies.js';
import type { Deployment } from '../kubernetes/deployment.js';
import { ofKind, type Resource } from '../resource.js';

const OPAQUE = 'config.linkerd.io/opaque-ports';

/** `3306,9000-9010`; null = it cannot be read (linkerd2 `policy-controller/k8s/index/src/ports.rs`). */
export function portsOf(written: string): PortRange[] | null {
  const ranges: PortRange[] = [];
  for (const word of written.split(',').map((one) => one.trim())) {
    if (word === '') continue;
    const [, low = '', high = low] = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(word) ?? [];
    const range = { from: Number(low), to: Number(high) };
    if (low === '' || range.from < 1 || range.to > 65_535 || range.from > range.to) return null;
    ranges.push(range);
  }
  return ranges;
}

/** What annotations say; a list that cannot be read names no port. Null = they say nothing. */
function said(annotations: Readonly<Record<string, string>>): PortRange[] | null {
  const written = annotations[OPAQUE];
  return written === undefined ? null : (portsOf(written) ?? []);
}

/** Ports of a Service whose connections are not looked into: by its own word, else by its namespace's; null = by neither. */
export function opaqueAt({ annotations, namespace }: Resource, resources: readonly Resource[]): PortRange[] | null {
  const own = said(annotations);
  if (own !== null) return own;
  const wider = ofKind(resources, 'kubernetes', 'Namespace').find(({ name }) => name === namespace);
  return wider === undefined ? null : said(wider.annotations);
}

/** Ports of pods whose connections are not looked into; what the pods' template says goes before their namespace's word. */
export function opaquePortsOf(resources: readonly Resource[]): OpaquePorts[] {
  const pods = ofKind<Deployment>(resources, 'kubernetes', 'Deployment').flatMap((deployment) => {
    const { labels = {}, annotations = {} } = deployment.spec.template?.metadata ?? {};
    const ports = said(annotations);
    return ports === null ? [] : [{ object: deployment, selector: labels, ports }];
  });
  const namespaces = ofKind(resources, 'kubernetes', 'Namespace').flatMap((namespace) => {
    const ports = said(namespace.annotations);
    return ports === null ? [] : [{ object: { ...namespace, namespace: namespace.name }, selector: null, ports }];
  });
  return [...pods, ...namespaces];
}
