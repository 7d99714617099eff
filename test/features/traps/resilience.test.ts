import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { SidecarConfig } from '../../../src/model/sidecar-config.js';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { until } from '../../support/until.js';
import { annotated, answered, asked, bedOf, type Dialect, routes, row, startBeds } from './beds.js';

startBeds();

row('4: retries that nobody asked for', { istio: 2, linkerd: 0, consul: 0 }, async (dialect) => {
  const services = await bedOf(dialect).mesh.client.call('services', {});
  const reviews = services.find(({ name }) => name === 'reviews');
  expect(reviews).toBeDefined();
  return reviews?.retries?.attempts ?? 0;
});

describe('5: a 503 is retried', () => {
  it.each([
    ['istio', 1],
    ['istio@1.23', 3],
    ['linkerd', 1],
    ['consul', 1],
  ])('%s asks %i times', async (flavor, times) => {
    expect((await bedOf(flavor).call('broken')).status).toBe(503);
    expect(asked['broken']).toBe(times);
  });
});

row('6: two is the number of retries, not of tries', { istio: 3, linkerd: 3, consul: 3 }, async (dialect) => {
  const words = { istio: 'retries: { attempts: 2, retryOn: 5xx }', consul: 'numRetries: 2, retryOn: [ 5xx ]' };
  const text = routes(dialect, [{ path: '/', to: 'broken', more: words[dialect as 'istio'] ?? '' }]);
  const annotations = 'annotations: { retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: "2" }';
  await bedOf(dialect).apply(
    dialect === 'linkerd' ? text.replace('name: reviews }', `name: reviews, ${annotations} }`) : text,
  );
  await answered(dialect, '/');
  return asked['broken'];
});

row('7: how long a request may take, ms', { istio: null, linkerd: null, consul: 15_000 }, async (dialect) => {
  const services = await bedOf(dialect).mesh.client.call('services', {});
  return services.find(({ name }) => name === 'reviews')?.timeoutMs;
});

/** A rule for all requests with the times and retries that a dialect has words for. */
function patient(dialect: Dialect, to: string, words: Readonly<Record<Dialect, string>>): string {
  if (dialect !== 'linkerd') return routes(dialect, [{ path: '/', to, more: words[dialect] }]);
  return annotated(routes(dialect, [{ path: '/', to }]), JSON.parse(words.linkerd));
}

row(
  '8: the time of a request is that of all its tries',
  { istio: '504 soon', gateway: '504 soon', linkerd: '504 soon', consul: '504 soon' },
  async (dialect) => {
    const text = patient(dialect, 'slow', {
      istio: 'timeout: 250ms, retries: { attempts: 9, retryOn: 5xx }',
      gateway: 'timeouts: { request: 250ms }, retry: { attempts: 9, codes: [ 503 ], backoff: 1ms }',
      linkerd:
        '{ "timeout.linkerd.io/request": "250ms", "retry.linkerd.io/http": "5xx", "retry.linkerd.io/limit": "9" }',
      consul: 'requestTimeout: 250ms, numRetries: 9, retryOn: [ 5xx ]',
    });
    await bedOf(dialect).apply(text);
    const status = await answered(dialect, '/');
    return `${status} ${(asked['slow'] ?? 0) < 10 ? 'soon' : 'late'}`;
  },
);

row(
  '9: a try that took too long is followed by another',
  // The Gateway API would have it 3 times; Istio, whose retries know no 504 of its own, was seen to try once.
  { istio: 3, gateway: 1, linkerd: 3, consul: 1 },
  async (dialect) => {
    const text = patient(dialect, 'silent', {
      istio: 'retries: { attempts: 2, perTryTimeout: 500ms, retryOn: 5xx }',
      gateway: 'timeouts: { backendRequest: 500ms }, retry: { attempts: 2, codes: [ 504 ], backoff: 1ms }',
      linkerd:
        '{ "retry.linkerd.io/timeout": "500ms", "retry.linkerd.io/http": "5xx", "retry.linkerd.io/limit": "2", "timeout.linkerd.io/request": "20s" }',
      consul: 'requestTimeout: 500ms, numRetries: 2, retryOn: [ 5xx ]',
    });
    await bedOf(dialect).apply(text);
    expect(await answered(dialect, '/')).toBe('504');
    return asked['silent'];
  },
);

row('9: a whole request that took too long is not', { istio: 1, linkerd: 1 }, async (dialect) => {
  const text = patient(dialect, 'silent', {
    istio: 'timeout: 500ms, retries: { attempts: 2, retryOn: 5xx }',
    gateway: '',
    linkerd: '{ "timeout.linkerd.io/request": "500ms", "retry.linkerd.io/http": "5xx", "retry.linkerd.io/limit": "2" }',
    consul: '',
  });
  await bedOf(dialect).apply(text);
  expect(await answered(dialect, '/')).toBe('504');
  return asked['silent'];
});

/** What `web` is told of a service. */
async function clusterOf(dialect: string, service: string) {
  const { configs } = await bedOf(dialect).mesh.client.call('snapshot', {});
  return (configs['web'] as SidecarConfig).outbound.clusters.find((one) => one.service === service);
}

row(
  '10: who of several is asked',
  { istio: 'least-request', linkerd: 'peak-ewma', consul: 'round-robin' },
  async (dialect) => (await clusterOf(dialect, 'reviews'))?.balancing.algorithm.kind,
);

row(
  '21: how much at once is too much, and who fails is put aside',
  { istio: ['no limit', null], linkerd: ['no limit', null], consul: [1024, null] },
  async (dialect) => {
    const cluster = await clusterOf(dialect, 'reviews');
    expect(cluster).toBeDefined();
    return [cluster?.limits.maxRequests ?? 'no limit', cluster?.ejection ?? null];
  },
);

row(
  '20: a fault that is injected',
  { istio: '555, nobody asked', gateway: 'refused', linkerd: '503, broken asked', consul: 'refused' },
  async (dialect) => {
    const text: Readonly<Record<Dialect, string>> = {
      istio: routes('istio', [
        {
          path: '/',
          to: 'broken',
          more: 'fault: { abort: { httpStatus: 555, percentage: { value: 100 } } }, retries: { attempts: 3, retryOn: 5xx }',
        },
      ]),
      gateway: routes('gateway', [{ path: '/', more: 'fault: { abort: { httpStatus: 555 } }' }]),
      linkerd: routes('linkerd', [{ path: '/', to: 'broken' }]),
      consul: routes('consul', [{ path: '/', more: 'fault: { abort: { httpStatus: 555 } }' }]),
    };
    const files = [{ name: 'fault.yaml', text: text[dialect] }];
    const { applied, findings } = await bedOf(dialect).mesh.client.call('applyResources', { files });
    if (!applied) {
      expect(findings.map(({ message }) => message).join()).toContain('unknown key "fault"');
      return 'refused';
    }
    return `${await answered(dialect, '/')}, ${asked['broken'] === undefined ? 'nobody' : 'broken'} asked`;
  },
);

describe('20: Istio’s fault switches off the time that a rule allows', () => {
  it('a delay that is longer passes', async () => {
    const more = 'fault: { delay: { fixedDelay: 300ms, percentage: { value: 100 } } }, timeout: 100ms';
    await bedOf('istio').apply(routes('istio', [{ path: '/', to: 'canary', more }]));
    expect(await answered('istio', '/')).toBe('canary');
  });
});

const LIMITS: Partial<Record<Dialect, string>> = {
  istio: `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: held }
spec: { host: held, trafficPolicy: { connectionPool: { http: { http2MaxRequests: 1 } } } }`,
  consul: `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceDefaults
metadata: { name: web }
spec: { protocol: http, upstreamConfig: { overrides: [ { name: held, limits: { maxConcurrentRequests: 1 } } ] } }`,
};

row('22: more than may be under way', { istio: '503 UO', consul: '503 UO' }, async (dialect) => {
  const bed = bedOf(dialect);
  await bed.apply(LIMITS[dialect] ?? '');
  const first = bed.call('held');
  await until(async () => asked['held'] === 1, 'the first is under way');
  const { status } = await bed.call('held');
  let flags: readonly string[] = [];
  await until(async () => {
    const found = await bed.mesh.client.call('exchanges', { to: 'held', flag: 'UO', limit: 1 });
    flags = found[0]?.flags ?? [];
    return found.length > 0;
  }, 'it is recorded');
  void first.catch(() => {});
  return `${status} ${flags.join()}`;
});

row(
  '22: nobody is left whom a breaker lets be asked',
  { istio: '503', linkerd: '503', consul: '503' },
  async (dialect) => {
    const prefix = 'balancer.linkerd.io/failure-accrual';
    const text: Partial<Record<Dialect, string>> = {
      istio: `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: broken }
spec: { host: broken, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 1, maxEjectionPercent: 100, baseEjectionTime: 1h } } }`,
      linkerd: `apiVersion: v1
kind: Service
metadata: { name: broken, annotations: { ${prefix}: consecutive, ${prefix}-consecutive-max-failures: "1", ${prefix}-consecutive-min-penalty: 1h, ${prefix}-consecutive-max-penalty: 2h } }
spec: { selector: { app: broken }, ports: [ { port: 9080, appProtocol: http } ] }`,
      consul: `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceDefaults
metadata: { name: web }
spec: { protocol: http, upstreamConfig: { overrides: [ { name: broken, passiveHealthCheck: { maxFailures: 1, maxEjectionPercent: 100, baseEjectionTime: 1h } } ] } }`,
    };
    await bedOf(dialect).apply(text[dialect] ?? '');
    for (let i = 0; i < 3; i++) expect((await bedOf(dialect).call('broken')).status).toBe(503);
    expect(asked['broken']).toBe(1);
    return '503';
  },
);

describe('27: who is near is asked first', () => {
  const NEAR = { locality: 'region1/zone1/a' };
  const FAR = { locality: 'region1/zone2/b' };

  const ASKED = 40;

  /**
   * Who is asked by 40 requests at once, each held until all have come: nobody is measured yet and nobody is ever the
   * slower one, so that an endpoint that may be asked is.
   */
  async function askedIn(flavor: string, policy: string): Promise<string[]> {
    const held: (() => void)[] = [];
    const holding = (name: string): RequestListener => {
      return (_, response) => {
        held.push(() => response.end(name));
        if (held.length === ASKED) for (const answer of held) answer();
      };
    };
    let mesh: TestMesh | null = null;
    try {
      mesh = await startMesh(
        appOf([workload('web', NEAR), workload('reviews-v1', NEAR), workload('reviews-v2', FAR)]),
        Object.fromEntries(['reviews-v1', 'reviews-v2'].map((name) => [name, holding(name)])),
        { flavor },
      );
      if (policy !== '') {
        const files = [{ name: 'p.yaml', text: policy }];
        expect((await mesh.client.call('applyResources', { files })).applied).toBe(true);
      }
      const url = await mesh.outboundUrl('web', 'reviews');
      const answers = Array.from({ length: ASKED }, async () => (await fetch(url)).text());
      return [...new Set(await Promise.all(answers))].sort();
    } finally {
      await mesh?.close();
    }
  }

  const watched = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5 } } }`;
  const resolver = `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceResolver
metadata: { name: reviews }
spec: { subsets: { near: { filter: Service.Meta.version == v1 } }, defaultSubset: near, failover: { '*': { service: reviews } } }`;

  it.each([
    ['istio', 'without a word', '', ['reviews-v1', 'reviews-v2']],
    ['istio', 'where who fails is put aside', watched, ['reviews-v1']],
    ['linkerd', 'without hints', '', ['reviews-v1', 'reviews-v2']],
    ['consul', 'without a word', '', ['reviews-v1', 'reviews-v2']],
    ['consul', 'where a resolver says so', resolver, ['reviews-v1']],
  ])('%s %s', async (flavor, _, policy, expected) => {
    expect(await askedIn(flavor, policy)).toEqual(expected);
  });
});
