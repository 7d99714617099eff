import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

let bed: PolicyBed;
/** `traceparent` of what reached the app. */
let seen: string[] = [];

beforeAll(async () => {
  bed = await policyBed('istio', {
    reviews: (request, response) => {
      seen.push(String(request.headers['traceparent']));
      response.end();
    },
  });
});
afterEach(() => {
  seen = [];
  return bed.reset();
});
afterAll(() => bed.close());

const telemetry = (percent: number, { namespace = 'default', selector = '' } = {}) => `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: t, namespace: ${namespace} }
spec: { ${selector}tracing: [ { randomSamplingPercentage: ${percent} } ] }
`;

/** How many of some traces that begin at `web` are sampled (W3C Trace Context, bit 0 of the flags). */
async function sampled(requests: number): Promise<number> {
  seen = [];
  for (let n = 0; n < requests; n++) expect((await bed.call('reviews')).status).toBe(200);
  expect(seen).toHaveLength(requests);
  return seen.filter((field) => /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/.test(field)).length;
}

describe('tracing of a Telemetry', () => {
  it('says which share of the traces that begin is sampled', async () => {
    await bed.apply(telemetry(0));
    expect(await sampled(20)).toBe(0);
    await bed.apply(telemetry(100));
    expect(await sampled(20)).toBe(20);
    await bed.apply(telemetry(50));
    const half = await sampled(200);
    // Six standard deviations of a share of 200.
    expect(Math.abs(half - 100)).toBeLessThan(43);
  });

  it('is of the mesh where nobody nearer says otherwise, and of a workload before all', async () => {
    await bed.apply(telemetry(0, { namespace: 'istio-system' }));
    expect(await sampled(10)).toBe(0);
    const own = telemetry(100, { selector: 'selector: { matchLabels: { app: web } }, ' });
    await bed.apply(telemetry(0, { namespace: 'istio-system' }), own);
    expect(await sampled(10)).toBe(10);
  });
});
