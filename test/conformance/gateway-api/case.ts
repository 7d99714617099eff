import { expect } from 'vitest';
import { type Ask, type Fixture, MESH } from './fixture.js';

/** One test of the suite, by its ShortName there. */
export interface ConformanceCase {
  readonly name: string;
  /** Behaviours that it shows, by the ids that the project has for them. */
  readonly behaviours?: readonly string[];
  /** Beside those of its profile. */
  readonly features: readonly string[];
  readonly profile: 'MESH-HTTP' | 'MESH-GRPC' | 'GATEWAY-HTTP';
  readonly yaml: string;
  /** Null = it cannot be tried here at all. */
  readonly check: ((mesh: Fixture) => Promise<void>) | null;
  /** Why it is not as the suite wants it; then its check must fail. */
  readonly unsupported?: string;
}

/** One line of a test's table. */
export interface Row extends Ask {
  /** Beginning of the name of the pod that must answer. */
  readonly by?: string;
  /** Default 200. */
  readonly status?: number;
  /** Fields that the pod must have seen, and those that it must not. */
  readonly saw?: Readonly<Record<string, string>>;
  readonly sawNot?: readonly string[];
  readonly sawPath?: string;
  readonly sawHost?: string;
  /** Fields of the answer, and those that it must not have. */
  readonly got?: Readonly<Record<string, string>>;
  readonly gotNot?: readonly string[];
}

/** A table of requests, one after the other. */
export function rows(...table: readonly Row[]): (mesh: Fixture) => Promise<void> {
  return async (mesh) => {
    for (const row of table) {
      const { status, headers, echo } = await mesh.ask(row);
      const what = `${row.method ?? 'GET'} ${row.host ?? row.to ?? 'echo'}${row.path ?? '/'} ${JSON.stringify(row.headers ?? {})}`;
      expect(status, what).toBe(row.status ?? 200);
      if (row.by !== undefined) expect(echo?.pod ?? '', what).toMatch(new RegExp(`^${row.by}`));
      if (row.saw !== undefined) expect(echo?.headers, what).toMatchObject(row.saw);
      for (const name of row.sawNot ?? []) expect(echo?.headers, what).not.toHaveProperty(name);
      if (row.sawPath !== undefined) expect(echo?.path, what).toBe(row.sawPath);
      if (row.sawHost !== undefined) expect(echo?.host, what).toBe(row.sawHost);
      if (row.got !== undefined) expect(headers, what).toMatchObject(row.got);
      for (const name of row.gotNot ?? []) expect(headers, what).not.toHaveProperty(name);
    }
  };
}

interface RouteParts {
  readonly kind?: 'HTTPRoute' | 'GRPCRoute';
  readonly name?: string;
  readonly namespace?: string;
  readonly parent?: string;
}

/** A route on a Service of the mesh; rules as YAML, one a line. */
export function route(rules: readonly string[], parts: RouteParts = {}): string {
  const { kind = 'HTTPRoute', name = 'r', namespace = MESH, parent = 'name: echo, port: 80' } = parts;
  return [
    'apiVersion: gateway.networking.k8s.io/v1',
    `kind: ${kind}`,
    `metadata: { name: ${name}, namespace: ${namespace} }`,
    'spec:',
    `  parentRefs: [ { group: "", kind: Service, ${parent} } ]`,
    '  rules:',
    ...rules.map((rule) => `  - ${rule}`),
    '',
  ].join('\n');
}

export const V1 = '{ name: echo-v1, port: 8080 }';
export const V2 = '{ name: echo-v2, port: 8080 }';
export const V3 = '{ name: infra-v3, port: 8080 }';

/** A rule that leads to one backend. */
export function rule(matches: string, backend: string, more = ''): string {
  return `{ matches: [ ${matches} ], backendRefs: [ ${backend} ]${more === '' ? '' : `, ${more}`} }`;
}

export const prefix = (value: string): string => `path: { type: PathPrefix, value: ${value} }`;
export const exact = (value: string): string => `path: { type: Exact, value: ${value} }`;

/** Shares of many requests, within five points; chance has several goes at it, as in the suite. */
export function shares(ask: Ask, wanted: Readonly<Record<string, number>>): (mesh: Fixture) => Promise<void> {
  return async (mesh) => {
    for (let goes = 4; goes > 0; goes--) {
      const off = Object.entries(await percentages(mesh, ask)).filter(([who, percent]) => {
        const share = wanted[who] ?? 0;
        return share === 0 ? percent > 0 : Math.abs(percent - share) > 5;
      });
      if (off.length === 0) return;
      if (goes === 1) expect(off, JSON.stringify(wanted)).toEqual([]);
    }
  };
}

/** By answering pod, or by status where none answered. */
async function percentages(mesh: Fixture, ask: Ask): Promise<Record<string, number>> {
  const total = 500;
  const counts: Record<string, number> = {};
  let left = total;
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const { status, echo } = await mesh.ask(ask);
      const who = echo?.pod ?? String(status);
      counts[who] = (counts[who] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  return Object.fromEntries(Object.entries(counts).map(([who, n]) => [who, (100 * n) / total]));
}
