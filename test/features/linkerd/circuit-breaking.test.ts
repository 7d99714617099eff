import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { service } from './bed.js';

let mesh: TestMesh;
const asked = { good: 0, bad: 0 };

beforeAll(async () => {
  const bb = (name: string) => workload(name, { app: 'bb', labels: { app: 'bb' }, serviceAccount: 'bb' });
  mesh = await startMesh(
    appOf([workload('cooker'), bb('good'), bb('bad')]),
    {
      good: (_, response) => {
        asked.good++;
        // The balancer goes by latency, and failing is quick: it is the sick one that draws requests.
        setTimeout(() => response.end(), 10);
      },
      bad: (_, response) => {
        asked.bad++;
        response.statusCode = 500;
        response.end();
      },
    },
    { flavor: 'linkerd' },
  );
});
beforeEach(async () => {
  asked.good = 0;
  asked.bad = 0;
  await mesh.client.call('deleteResources', { all: true });
});
afterAll(() => mesh.close());

async function apply(annotations: string): Promise<void> {
  const { applied } = await mesh.client.call('applyResources', {
    files: [{ name: 'bb.yaml', text: service('bb', annotations) }],
  });
  expect(applied).toBe(true);
}

async function successes(requests: number): Promise<number> {
  const url = await mesh.outboundUrl('cooker', 'bb');
  let fine = 0;
  for (let n = 0; n < requests; n++) {
    const response = await fetch(url);
    await response.arrayBuffer();
    if (response.ok) fine++;
  }
  return fine;
}

/**
 * Requests until the sick one was asked so often, and 100 more. How soon that is goes by latencies: on a busy machine its
 * first answer may be slow, and then it is left alone until that is forgotten.
 */
async function afterAsked(times: number): Promise<void> {
  for (let n = 0; n < 3_000 && asked.bad < times; n++) await successes(1);
  await successes(100);
}

const PREFIX = 'balancer.linkerd.io/failure-accrual';
/** Nobody is tried again while the test runs, however slow the machine is. */
const LONG = `${PREFIX}-consecutive-min-penalty: 1h, ${PREFIX}-consecutive-max-penalty: 2h`;

describe('B-134: one of two endpoints fails always', () => {
  it('and without a breaker a good part of the requests does', async () => {
    await afterAsked(8);
    // More than a breaker lets through.
    expect(asked.bad).toBeGreaterThan(7);
  });

  it('with consecutive accrual it is left alone after seven failures', async () => {
    await apply(`{ ${PREFIX}: consecutive, ${LONG} }`);
    await afterAsked(7);
    expect(asked.bad).toBe(7);
  });

  it('parameters of the annotations count', async () => {
    const prefix = 'balancer.linkerd.io/failure-accrual';
    await apply(
      `{ ${prefix}: consecutive, ${prefix}-consecutive-max-failures: "3", ${prefix}-consecutive-min-penalty: 1h, ${prefix}-consecutive-max-penalty: 2h }`,
    );
    await afterAsked(3);
    expect(asked.bad).toBe(3);
  });

  it('unified accrual goes by the success rate', async () => {
    const prefix = 'balancer.linkerd.io/failure-accrual';
    await apply(
      `{ ${prefix}: unified, ${LONG}, ${prefix}-consecutive-max-failures: "1000", balancer.alpha.linkerd.io/failure-accrual-success-rate-min-requests: "5" }`,
    );
    await afterAsked(5);
    expect(asked.bad).toBe(5);
  });
});
