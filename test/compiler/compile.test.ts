import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { retryPolicy } from '../../src/compiler/retry-policy.js';
import { OUTLIER_DEFAULTS } from '../../src/model/cluster.js';
import type { Fault } from '../../src/model/fault.js';
import { ISTIO } from '../../src/model/flavor.js';
import type { MeshConfig, ReadyEndpoint } from '../../src/model/mesh-config.js';
import type { RouteAction } from '../../src/model/route.js';
import type { SidecarConfig } from '../../src/model/sidecar-config.js';
import { appOf, workload } from '../support/apps.js';
import { meshConfigOf } from '../support/mesh-config.js';
import { forward, on, rule, to } from '../support/one-sidecar.js';

const APP = appOf([workload('web'), workload('reviews-v1'), workload('reviews-v2'), workload('ratings')]);
const mesh = (overrides: Partial<MeshConfig> = {}): MeshConfig => meshConfigOf(APP, overrides);
const ready = (...names: string[]): ReadyEndpoint[] =>
  names.map((name, i) => ({ workload: name, address: `10.0.0.${i + 1}`, ports: { 9080: 15_006 } }));
const ALL = ready('web', 'reviews-v1', 'reviews-v2', 'ratings');
const compiled = (config: MeshConfig, endpoints = ALL): Record<string, SidecarConfig> =>
  Object.fromEntries(compile(config, endpoints, 7));
const cluster = (config: SidecarConfig | undefined, name: string) =>
  config?.outbound.clusters.find((found) => found.name === name);
const REVIEWS = 'outbound|9080||reviews.default.svc.cluster.local';

describe('what only some callers are told', () => {
  const direct = (name: string, from: string[]) => ({
    retries: null,
    from,
    route: {
      name,
      match: { path: { kind: 'prefix', value: '/', ignoreCase: false } as const, methods: [], fields: [], query: [] },
      action: { kind: 'direct', status: 200, body: name } as const,
      responseFields: null,
      fault: null,
    },
  });
  const routesAt = (configs: Record<string, SidecarConfig>, caller: string) =>
    configs[caller]?.outbound.virtualHosts.find(({ name }) => name === 'ratings')?.routes.map(({ name }) => name);

  it('are routes for their workload or service', () => {
    const routes = [direct('v2', ['reviews-v2']), direct('reviews', ['reviews']), direct('all', [])];
    const app = appOf(APP.workloads, { ratings: { routes } });
    const configs = compiled(mesh({ app }));
    expect(routesAt(configs, 'reviews-v1')).toEqual(['reviews', 'all']);
    expect(routesAt(configs, 'reviews-v2')).toEqual(['v2', 'reviews', 'all']);
    expect(routesAt(configs, 'web')).toEqual(['all']);
  });

  it('are the levels of endpoints that are near and far, where a breaker watches them', () => {
    const workloads = [
      workload('web', { locality: 'eu' }),
      workload('far', { locality: 'us' }),
      workload('reviews-v1', { locality: 'us' }),
      workload('reviews-v2', { locality: 'eu' }),
    ];
    const levelsAt = (configs: Record<string, SidecarConfig>, caller: string) =>
      cluster(configs[caller], REVIEWS)?.endpoints.map(({ workload: name, priority }) => [name, priority]);
    const endpoints = ready('reviews-v1', 'reviews-v2');
    const watched = appOf(workloads, { reviews: { traffic: { ejection: OUTLIER_DEFAULTS } } });
    const configs = compiled(mesh({ app: watched }), endpoints);
    expect(levelsAt(configs, 'web')).toEqual([
      ['reviews-v1', 1],
      ['reviews-v2', 0],
    ]);
    expect(levelsAt(configs, 'far')).toEqual([
      ['reviews-v1', 0],
      ['reviews-v2', 1],
    ]);
    const unwatched = compiled(mesh({ app: appOf(workloads) }), endpoints);
    expect(levelsAt(unwatched, 'web')).toEqual([
      ['reviews-v1', 0],
      ['reviews-v2', 0],
    ]);
  });
});

describe('a snapshot', () => {
  it('has one configuration per workload and one for the gateway, all of one version', () => {
    const configs = compiled(mesh());
    expect(Object.keys(configs).sort()).toEqual(['gateway', 'ratings', 'reviews-v1', 'reviews-v2', 'web']);
    expect(new Set(Object.values(configs).map(({ version }) => version))).toEqual(new Set([7]));
    expect(configs['gateway']?.role).toBe('gateway');
  });

  it('is the same for the same input', () => {
    expect(JSON.stringify(compiled(mesh()))).toBe(JSON.stringify(compiled(mesh())));
  });

  it('knows a service as all of its versions, and as each one where routes of x-mesh go by them', () => {
    expect(cluster(compiled(mesh()).web, REVIEWS.replace('||', '|v1|'))).toBeUndefined();
    const action = { ...forward([]), clusters: [{ ...to('x'), cluster: 'reviews/v1' }] };
    const routes = [{ route: rule('old', on('/'), action), from: [], retries: null }];
    const { web } = compiled(mesh({ app: appOf(APP.workloads, { reviews: { routes } }) }));
    const workloadsOf = (name: string) => cluster(web, name)?.endpoints.map((endpoint) => endpoint.workload);
    expect(workloadsOf(REVIEWS)).toEqual(['reviews-v1', 'reviews-v2']);
    expect(workloadsOf(REVIEWS.replace('||', '|v1|'))).toEqual(['reviews-v1']);
    expect(workloadsOf(REVIEWS.replace('||', '|v2|'))).toEqual(['reviews-v2']);
  });

  it('has only endpoints that are ready, and keeps the cluster of a service that has none', () => {
    const { web } = compiled(mesh(), ready('reviews-v2'));
    expect(cluster(web, REVIEWS)?.endpoints.map((endpoint) => endpoint.workload)).toEqual(['reviews-v2']);
    expect(cluster(web, REVIEWS.replaceAll('reviews', 'ratings'))?.endpoints).toEqual([]);
  });

  it('tells who must answer: the service accounts of the members, or nobody when there is no mTLS', () => {
    const id = 'spiffe://cluster.local/ns/default/sa/reviews';
    expect(cluster(compiled(mesh())['web'], REVIEWS)?.tls).toEqual({ spiffeIds: [id] });
    expect(cluster(compiled(mesh({ mtls: 'disable' }))['web'], REVIEWS)?.tls).toBeNull();
  });

  it.each(['disable', 'permissive', 'strict'] as const)('says %s at every inbound', (mtls) => {
    const { gateway, ...sidecars } = compiled(mesh({ mtls }));
    expect(new Set(Object.values(sidecars).map(({ inbound }) => inbound.mtls))).toEqual(new Set([mtls]));
    expect(gateway).toBeDefined();
  });

  it('brings a fault to the workloads that it is for, and to nobody else', () => {
    const fault = (to: string): Fault =>
      ({ name: to, to, enabled: true, action: { connection: null } }) as unknown as Fault;
    const configs = compiled(mesh({ faults: [fault('reviews'), fault('reviews-v2'), fault('ratings')] }));
    const faultsOf = (name: string) => configs[name]?.inbound.faults.map(({ name: of }) => of);
    expect(['web', 'reviews-v1', 'reviews-v2', 'ratings', 'gateway'].map(faultsOf)).toEqual([
      [],
      ['reviews'],
      ['reviews', 'reviews-v2'],
      ['ratings'],
      [],
    ]);
  });

  it('brings a fault of connections to all who may open one, and to nobody inbound', () => {
    const fault = { name: 'f', to: 'ratings', enabled: true, action: { connection: 'refused' } } as unknown as Fault;
    const configs = compiled(mesh({ faults: [fault] }));
    for (const config of Object.values(configs)) {
      expect(config.inbound.faults).toEqual([]);
      expect(config.outbound.faults).toEqual([fault]);
    }
  });

  it("sends everything at the gateway to the app's front service", () => {
    const { gateway } = compiled(mesh());
    expect(gateway?.outbound.virtualHosts).toMatchObject([
      {
        domains: ['*'],
        port: 8080,
        routes: [{ action: { clusters: [{ cluster: REVIEWS.replaceAll('reviews', 'web') }] } }],
      },
    ]);
  });

  it("routes each service by its four names, with the service's own timeout", () => {
    const app = appOf([workload('web'), workload('ratings')], { ratings: { timeoutMs: 700 } });
    const { web } = compiled(mesh({ app }));
    const host = web?.outbound.virtualHosts.find(({ name }) => name === 'ratings');
    expect(host?.domains).toContain('ratings.default.svc.cluster.local');
    const timeoutOf = (action?: RouteAction) => (action?.kind === 'forward' ? action.timeoutMs : undefined);
    expect(timeoutOf(host?.routes[0]?.action)).toBe(700);
    expect(timeoutOf(web?.outbound.virtualHosts.find(({ name }) => name === 'web')?.routes[0]?.action)).toBeNull();
  });

  it('has no retries anywhere when they are switched off', () => {
    const retries = (config: MeshConfig) =>
      Object.values(compiled(config)).flatMap(({ outbound }) =>
        outbound.virtualHosts.flatMap(({ routes }) =>
          routes.map(({ action }) => (action.kind === 'forward' ? (action.retry?.attempts ?? 0) : -1)),
        ),
      );
    expect(new Set(retries(mesh()))).toEqual(new Set([2]));
    expect(new Set(retries(mesh({ retries: false })))).toEqual(new Set([0]));
  });
});

describe('a retry policy', () => {
  it("is Istio's default when nobody says anything", () => {
    expect(retryPolicy('reviews', null, ISTIO)).toMatchObject({ attempts: 2, origin: "Istio's default retry policy" });
    // Since Istio 1.24 a 503 that an application answered is not retried by default.
    expect(retryPolicy('reviews', null, ISTIO)?.retryOn).not.toContain('5xx');
  });

  it('takes numbers as status codes and drops words that Envoy does not know', () => {
    const policy = retryPolicy(
      'reviews',
      {
        attempts: 3,
        retryOn: ['5xx', '429', '503', 'often'],
        perTryTimeoutMs: 50,
      },
      ISTIO,
    );
    expect(policy).toMatchObject({
      attempts: 3,
      retryOn: ['5xx', 'retriable-status-codes'],
      retriableStatusCodes: [429, 503],
      perTryTimeoutMs: 50,
      origin: 'x-mesh.services.reviews.retries',
    });
  });

  it('of no attempts is none', () => {
    expect(retryPolicy('reviews', { attempts: 0, retryOn: ['5xx'], perTryTimeoutMs: null }, ISTIO)).toBeNull();
  });
});
