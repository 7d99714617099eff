import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trace } from '../../src/protocol/api-types.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;

beforeAll(async () => {
  mesh = await startMesh(appOf([workload('web'), workload('ratings')]), {
    web: async (request, response) => {
      const answer = await fetch(`${await mesh.outboundUrl('web', 'ratings')}${request.url}`, {
        headers: {
          traceparent: String(request.headers['traceparent']),
          'x-request-id': String(request.headers['x-request-id']),
        },
      });
      response.end(`web+${await answer.text()}`);
    },
    ratings: (request, response) =>
      response.end(`ratings ${request.headers.host} ${request.headers['x-forwarded-client-cert']}`),
  });
});
afterAll(() => mesh.close());

describe('a request through gateway and two sidecars', () => {
  it('arrives over mutual TLS, with the authority restored and the caller proved', async () => {
    const response = await fetch(`${mesh.gatewayUrl}/hello`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain('web+ratings ratings:9080');
    expect(text).toContain('URI=spiffe://cluster.local/ns/default/sa/web');
  });

  it('is one trace of four hops that explains itself', async () => {
    await fetch(`${mesh.gatewayUrl}/traced`);
    const hops = async () => {
      const [last] = (await mesh.client.call('exchanges', {})).filter(({ request }) => request.path === '/traced');
      return last === undefined ? null : mesh.client.call('trace', { id: last.requestId });
    };
    // Each sidecar reports in its own time.
    await until(async () => ((await hops())?.exchanges.length ?? 0) >= 4, 'all four hops are reported');
    const trace = (await hops()) as Trace;
    expect(trace.exchanges.map(({ reporter }) => `${reporter.workload} ${reporter.direction}`).sort()).toEqual([
      'gateway gateway',
      'ratings inbound',
      'web inbound',
      'web outbound',
    ]);
    expect(trace.exchanges.every(({ security }) => security.mode === 'mtls')).toBe(true);
    const explanation = await mesh.client.call('explain', { id: trace.requestId });
    expect(explanation.summary).toMatch(/GET \/traced was answered 200/);
    expect(explanation.steps.map(({ depth }) => depth)).toContain(3);
  });
});
