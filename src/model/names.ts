/** Names that Kubernetes and Istio would give to the same things. */

export const TRUST_DOMAIN = 'cluster.local';
export const NAMESPACE = 'default';

/** Labels of the gateway: those of the ingress gateway that Istio's installation profiles bring, which its task pages select. */
export const GATEWAY_LABELS: Readonly<Record<string, string>> = {
  app: 'istio-ingressgateway',
  istio: 'ingressgateway',
};

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

/** The name by which people call a service: `reviews`, and in another namespace than `default` `orders.other`. */
export function serviceKey(name: string, namespace: string): string {
  return namespace === NAMESPACE ? name : `${name}.${namespace}`;
}

/** `reviews` → `reviews.default.svc.cluster.local`. */
export function fqdn(name: string, namespace: string = NAMESPACE): string {
  return `${name}.${namespace}.svc.${TRUST_DOMAIN}`;
}

const CLUSTER_SUFFIX = `.svc.${TRUST_DOMAIN}`;

/**
 * The host names under which a pod of a namespace finds a service, shortest first: those that a Kubernetes resolver makes
 * of it (the bare name only in its own namespace), or the one name of a service from outside.
 */
export function hostNames(host: string, from: string = NAMESPACE): string[] {
  if (!host.endsWith(CLUSTER_SUFFIX)) return [host];
  const inside = host.slice(0, -CLUSTER_SUFFIX.length);
  const dot = inside.indexOf('.');
  const bare = inside.slice(dot + 1) === from ? [inside.slice(0, dot)] : [];
  return [...bare, inside, `${inside}.svc`, host];
}

/** Stable virtual IP of the n-th service (0-based) of an app, from 240.240.0.0/16. */
export function virtualIp(index: number): string {
  const n = index + 1;
  return `240.240.${Math.floor(n / 250)}.${(n % 250) + 1}`;
}

/** Whether an address is one that services are given here, where nobody listens: class E, which no network uses. */
export function isVirtual(address: string): boolean {
  return address.startsWith('240.');
}

/** Envoy's cluster name: `outbound|9080|v2|reviews.default.svc.cluster.local`. */
export function clusterName(host: string, port: number, subset: string): string {
  return `outbound|${port}|${subset}|${host}`;
}
