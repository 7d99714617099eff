import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OUTSIDER, type PolicyBed, policyBed } from '../../support/policy-bed.js';

/**
 * Where the meshes differ: the same wish in each dialect, and what comes of it. `gateway` is the Gateway API as Istio obeys
 * it.
 */
export type Dialect = 'istio' | 'gateway' | 'linkerd' | 'consul';
const DIALECTS: readonly Dialect[] = ['istio', 'gateway', 'linkerd', 'consul'];

const FLAVORS = ['istio', 'istio@1.23', 'linkerd', 'consul'];
const beds: Partial<Record<string, PolicyBed>> = {};

export const bedOf = (dialect: string): PolicyBed => beds[dialect === 'gateway' ? 'istio' : dialect] as PolicyBed;

/** How often each app was asked, in the present test. */
export let asked: Record<string, number> = {};

/** What each app was last called. */
export const hostOf: Record<string, string | undefined> = {};

/** Says its name and what it was asked for. */
const app =
  (name: string): RequestListener =>
  ({ url, headers }, response) => {
    asked[name] = (asked[name] ?? 0) + 1;
    hostOf[name] = headers.host;
    response.end(`${name} ${url}`);
  };

/** Fails, after a while if it is slow. */
const failing =
  (name: string, afterMs = 0): RequestListener =>
  (_, response) => {
    asked[name] = (asked[name] ?? 0) + 1;
    response.statusCode = 503;
    setTimeout(() => response.end(), afterMs);
  };

const holding: (() => void)[] = [];

const APPS: Readonly<Record<string, RequestListener>> = {
  reviews: app('reviews'),
  canary: app('canary'),
  batch: app('batch'),
  broken: failing('broken'),
  slow: failing('slow', 150),
  /** Answers when the test is over. */
  held: (_, response) => {
    asked['held'] = (asked['held'] ?? 0) + 1;
    holding.push(() => response.end());
  },
  // Never answers.
  silent: () => {
    asked['silent'] = (asked['silent'] ?? 0) + 1;
  },
  [OUTSIDER]: app(OUTSIDER),
};

/** A mesh of each flavour for the tests of a file. */
export function startBeds(): void {
  beforeAll(async () => {
    for (const flavor of FLAVORS) beds[flavor] = await policyBed(flavor, APPS);
  });
  afterEach(async () => {
    for (const release of holding.splice(0)) release();
    asked = {};
    for (const flavor of FLAVORS) await beds[flavor]?.reset();
  });
  afterAll(async () => {
    for (const bed of Object.values(beds)) await bed?.close();
  });
}

export interface Rule {
  /** Paths; `Exact` for `=/path`. */
  readonly path: string;
  readonly to?: string;
  readonly more?: string;
}

/** The same rules about a Service, in the words of a dialect. */
export function routes(dialect: Dialect, rules: readonly Rule[], name = 'reviews'): string {
  const parts = rules.map(({ path, to = 'canary', more = '' }) => {
    const exact = path.startsWith('=');
    const value = exact ? path.slice(1) : path;
    switch (dialect) {
      case 'istio':
        return `{ match: [ { uri: { ${exact ? 'exact' : 'prefix'}: ${value} } } ], ${more.includes('redirect') ? '' : `route: [ { destination: { host: ${to} } } ], `}${more} }`;
      case 'consul':
        return `{ match: { http: { ${exact ? 'pathExact' : 'pathPrefix'}: ${value} } }, destination: { service: ${to}${more === '' ? '' : `, ${more}`} } }`;
      default:
        return `{ matches: [ { path: { type: ${exact ? 'Exact' : 'PathPrefix'}, value: ${value} } } ], ${more.includes('RequestRedirect') ? '' : `backendRefs: [ { name: ${to}, port: 9080 } ], `}${more} }`;
    }
  });
  const all = `[ ${parts.join(', ')} ]`;
  const object = (apiVersion: string, kind: string, spec: string): string =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}`;
  const parent = "{ group: '', kind: Service, name: reviews, port: 9080 }";
  switch (dialect) {
    case 'istio':
      return object('networking.istio.io/v1', 'VirtualService', `{ hosts: [ reviews ], http: ${all} }`);
    case 'gateway':
      return object('gateway.networking.k8s.io/v1', 'HTTPRoute', `{ parentRefs: [ ${parent} ], rules: ${all} }`);
    case 'linkerd':
      return object('policy.linkerd.io/v1beta3', 'HTTPRoute', `{ parentRefs: [ ${parent} ], rules: ${all} }`);
    case 'consul':
      return object('consul.hashicorp.com/v1alpha1', 'ServiceRouter', `{ routes: ${all} }`);
  }
}

export async function answered(dialect: string, path: string): Promise<string> {
  const { status, body } = await bedOf(dialect).call('reviews', path);
  return status === 200 ? (body.split(' ')[0] ?? '') : String(status);
}

/** What each dialect is expected to give, row by row. */
export function row(
  title: string,
  expected: Partial<Record<Dialect, unknown>>,
  ask: (dialect: Dialect) => Promise<unknown>,
): void {
  describe(title, () => {
    it.each(DIALECTS.filter((dialect) => dialect in expected))('%s', async (dialect) => {
      expect(await ask(dialect)).toEqual(expected[dialect]);
    });
  });
}

/** A text in which the first object gets annotations (Linkerd's way to say how). */
export function annotated(text: string, annotations: Readonly<Record<string, string>>): string {
  return text.replace('metadata: { ', `metadata: { annotations: ${JSON.stringify(annotations)}, `);
}
