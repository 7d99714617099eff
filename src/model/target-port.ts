import { type ServicePort, selects, type WorkloadSpec } from './app.js';

/**
 * The workload's own port to which a port of its service leads; null = to none. A name is what the manifest of its pods
 * gives it to; where there is none of them it is their only port, or the one of the service's number.
 */
export function targetOf(
  { targetPort, targetName }: Pick<ServicePort, 'targetPort' | 'targetName'>,
  {
    labels,
    ports,
  }: {
    readonly labels: WorkloadSpec['labels'];
    readonly ports: readonly { readonly port: number }[];
  },
): number | null {
  if (targetName === undefined) return targetPort;
  const { pods } = targetName;
  const named = pods.find((pod) => selects(pod.labels, labels))?.port;
  if (named !== undefined) return named;
  const [number, ...others] = new Set(pods.flatMap(({ port }) => port ?? []));
  if (number !== undefined && others.length === 0) return number;
  const own = ports.map(({ port }) => port);
  return own.length === 1 ? (own[0] ?? null) : own.includes(targetPort) ? targetPort : null;
}
