/** Names that Kubernetes and Istio would give to the same things. */

export const TRUST_DOMAIN = 'cluster.local';
export const NAMESPACE = 'default';

/** Istio's port numbers (DESIGN §3). */
export const PORTS = {
  outbound: 15001,
  inbound: 15006,
  admin: 15000,
  metrics: 15020,
  prometheus: 15090,
  readiness: 15021,
  control: 15012,
  /** Public API inside the control plane's container. */
  api: 15014,
  /** North-south listener inside the gateway's container. */
  gateway: 8080,
} as const;

/** User ids inside containers: the sidecar's is the one that interception lets pass. */
export const UIDS = { proxy: 1337, app: 10001, controlPlane: 10002 } as const;

/** The four host names under which a Kubernetes pod finds a service, shortest first. */
export function hostNames(service: string): string[] {
  return [service, `${service}.${NAMESPACE}`, `${service}.${NAMESPACE}.svc`, fqdn(service)];
}

/** `reviews` → `reviews.default.svc.cluster.local`. */
export function fqdn(service: string): string {
  return `${service}.${NAMESPACE}.svc.${TRUST_DOMAIN}`;
}

/** Stable virtual IP of the n-th service (0-based) of an app, from 240.240.0.0/16. */
export function virtualIp(index: number): string {
  const n = index + 1;
  return `240.240.${Math.floor(n / 250)}.${(n % 250) + 1}`;
}

/** Envoy's cluster name: `outbound|9080|v2|reviews.default.svc.cluster.local`. */
export function clusterName(service: string, port: number, subset: string): string {
  return `outbound|${port}|${subset}|${fqdn(service)}`;
}
