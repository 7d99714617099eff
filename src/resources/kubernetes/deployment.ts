import { list, openTable, type Read, text } from '../../yaml/readers.js';
import { ofKind, type Resource } from '../resource.js';
import { labels, portNumber } from '../words.js';

/** What a mesh looks at in a Deployment: labels, ports and account of its pods; the rest is Kubernetes' own affair. */
export const deployment = openTable({
  selector: openTable({ matchLabels: labels }),
  template: openTable({
    metadata: openTable({ labels, annotations: labels }),
    spec: openTable({
      serviceAccountName: text,
      securityContext: openTable({ runAsUser: text }),
      containers: list(
        openTable({
          name: text,
          image: text,
          ports: list(openTable({ containerPort: portNumber(), name: text, protocol: text })),
          securityContext: openTable({ runAsUser: text }),
        }),
      ),
    }),
  }),
});

export type Deployment = Read<typeof deployment>;

/** A group of pods as analysis sees it. */
export interface KnownWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Null = they are not declared. */
  readonly ports: readonly number[] | null;
}

export function workloadsIn(resources: readonly Resource[]): KnownWorkload[] {
  return ofKind<Deployment>(resources, 'kubernetes', 'Deployment').map(({ name, namespace, spec }) => {
    const pod = spec.template?.spec;
    const ports = (pod?.containers ?? [])
      .flatMap((container) => container.ports ?? [])
      .map(({ containerPort }) => containerPort);
    return {
      name,
      namespace,
      labels: spec.template?.metadata?.labels ?? {},
      serviceAccount: pod?.serviceAccountName ?? 'default',
      ports: ports.length === 0 ? null : ports.filter((port) => port !== undefined),
    };
  });
}
