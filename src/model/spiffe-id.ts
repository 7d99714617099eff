import type { FlavorName } from './flavor.js';
import { NAMESPACE, TRUST_DOMAIN } from './names.js';

/** A parsed SPIFFE ID (SPIFFE-ID.md §2). Only {@link parseSpiffeId} and {@link workloadId} make one. */
export interface SpiffeId {
  readonly uri: string;
  readonly trustDomain: string;
  readonly path: string;
}

const TRUST_DOMAIN_PATTERN = /^[a-z0-9._-]{1,255}$/;
const SEGMENT_PATTERN = /^[A-Za-z0-9._-]+$/;

/**
 * Parses by the rules 12-16 of the SPIFFE standards: scheme exactly `spiffe`, lower-case trust domain without port or
 * user, non-root path without empty, `.` or `..` segments, at most 2,048 bytes. Returns null for anything else.
 */
export function parseSpiffeId(uri: string): SpiffeId | null {
  if (uri.length > 2048 || !uri.startsWith('spiffe://')) return null;
  const rest = uri.slice('spiffe://'.length);
  const slash = rest.indexOf('/');
  if (slash <= 0) return null;
  const trustDomain = rest.slice(0, slash);
  if (!TRUST_DOMAIN_PATTERN.test(trustDomain)) return null;
  const path = rest.slice(slash);
  const segments = path.slice(1).split('/');
  for (const segment of segments) {
    if (segment === '.' || segment === '..' || !SEGMENT_PATTERN.test(segment)) return null;
  }
  return { uri, trustDomain, path };
}

/** Whose names a mesh gives to its workloads, and the domain in which they hold. */
export interface Naming {
  readonly form: FlavorName;
  readonly trustDomain: string;
}

/** The domain of a mesh: the one that is everybody's default, or Consul's, which bears the id of its cluster (a UUID). */
export function trustDomainOf(form: FlavorName, cluster: string): string {
  return form === 'consul' ? `${cluster}.consul` : TRUST_DOMAIN;
}

/** What a name is made of. */
export interface Named {
  /** The service to which the workload belongs. */
  readonly app: string;
  readonly serviceAccount: string;
  readonly namespace: string;
}

/** Consul's one datacenter here, as its agent in development mode calls it. */
const DATACENTER = 'dc1';

/**
 * The SPIFFE ID that a workload proves: Istio's `spiffe://cluster.local/ns/<namespace>/sa/<service account>`, under
 * Linkerd too, or Consul's `spiffe://<uuid>.consul/ns/<namespace>/dc/dc1/svc/<service>` (consul `agent/connect`).
 */
export function workloadId({ app, serviceAccount, namespace }: Named, { form, trustDomain }: Naming): string {
  if (form === 'consul') return `spiffe://${trustDomain}/ns/${namespace}/dc/${DATACENTER}/svc/${app}`;
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/**
 * The name of a service account in policies, whatever the mesh calls its workloads: a SPIFFE ID of Istio's without scheme,
 * `cluster.local/ns/<namespace>/sa/<service account>`.
 */
export function accountName(serviceAccount: string, namespace: string = NAMESPACE): string {
  return `${TRUST_DOMAIN}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The end of every identity of a Linkerd mesh. */
export const LINKERD_TAIL = `serviceaccount.identity.linkerd.${TRUST_DOMAIN}`;

/**
 * Names that stand in the certificate beside the SPIFFE ID: Linkerd's
 * `<service account>.<namespace>.serviceaccount.identity.linkerd.cluster.local`, by which its proxies know each other.
 */
export function dnsNames({ serviceAccount, namespace }: Omit<Named, 'app'>, { form }: Naming): string[] {
  return form === 'linkerd' ? [`${serviceAccount}.${namespace}.${LINKERD_TAIL}`] : [];
}

/** The service account of an Istio-style ID, or null when the path has another shape. */
export function serviceAccountOf(uri: string): string | null {
  const match = /^spiffe:\/\/[^/]+\/ns\/[^/]+\/sa\/([^/]+)$/.exec(uri);
  return match?.[1] ?? null;
}
