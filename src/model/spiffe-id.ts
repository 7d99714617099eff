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

/** `spiffe://cluster.local/ns/<namespace>/sa/<service account>`, the form Istio gives to a workload. */
export function workloadId(serviceAccount: string, namespace: string = NAMESPACE): string {
  return `spiffe://${TRUST_DOMAIN}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The service account of an Istio-style ID, or null when the path has another shape. */
export function serviceAccountOf(uri: string): string | null {
  const match = /^spiffe:\/\/[^/]+\/ns\/[^/]+\/sa\/([^/]+)$/.exec(uri);
  return match?.[1] ?? null;
}
