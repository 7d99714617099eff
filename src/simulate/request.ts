import type { Fields, Subject } from '../matching/match.js';

/** A request that is only described. */
export interface DescribedRequest {
  /** Workload that sends it. */
  readonly from: string;
  /** Host as the app writes it: `reviews`, `reviews.default:9080`. */
  readonly host: string;
  /** Port that is called; null = the service's first. */
  readonly port: number | null;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A described request as rules see one. */
export function subjectOf({ method, path, host, port, headers }: DescribedRequest): Subject {
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const fields: Fields = {
    all: (name) => lower.filter(([known]) => known === name).map(([, value]) => value),
    get: (name) => lower.find(([known]) => known === name)?.[1],
    has: (name, value) => lower.some(([known, own]) => known === name && own === value),
  };
  const authority = host.includes(':') || port === null ? host : `${host}:${port}`;
  return { method, target: path.startsWith('/') ? path : `/${path}`, host: authority, fields };
}

/** The name of an authority, without its port. */
export function nameOf(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}
