import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;

beforeAll(async () => {
  mesh = await startMesh(appOf([workload('web'), workload('ratings')]), {
    web: (_, response) => response.end(),
    ratings: (_, response) => response.end('stars'),
  });
});
afterAll(() => mesh.close());
afterEach(() => mesh.client.call('deleteResources', { all: true }));

const ask = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(`${await mesh.outboundUrl('web', 'ratings')}${path}`, { headers });
  await response.text();
  return response.status;
};
const apply = (kind: string, spec: string) =>
  mesh.client.call('applyResources', {
    files: [
      {
        name: 'own.yaml',
        text: `apiVersion: mesh-sandbox.dev/v1\nkind: ${kind}\nmetadata: { name: mine }\nspec: ${spec}\n`,
      },
    ],
  });

describe('Fault', () => {
  it('acts where it says, for whom it says, and its hits are counted', async () => {
    await apply('Fault', '{ to: ratings, abort: 503, match: { path: /sick, headers: { End-User: jason } } }');
    expect(await ask('/sick', { 'end-user': 'jason' })).toBe(503);
    expect(await ask('/sick')).toBe(200);
    expect(await ask('/well', { 'end-user': 'jason' })).toBe(200);
    await until(async () => (await mesh.client.call('faults', {}))[0]?.hits === 1, 'a hit');
    expect((await mesh.client.call('faults', {}))[0]?.name).toBe('default/mine');
  });

  it.each([
    ['{ to: ratings }', 'the fault does nothing'],
    ['{ to: ratings, abort: 503, reset: true }', 'a fault ends a request in one way, not by abort and reset'],
    ['{ to: ratings, connection: refused, delay: 2s }', 'without a connection there is nothing to delay'],
    ['{ to: ratings, blackhole: true, corrupt: true }', 'a fault that ends the request leaves no answer to change'],
    ['{ abort: 503 }', 'spec has no to'],
  ])('that cannot be is refused: %s', async (spec, message) => {
    const { applied, findings } = await apply('Fault', spec);
    expect(applied).toBe(false);
    expect(findings.map((finding) => finding.message).join()).toContain(message);
  });

  it('at nobody is found by analyze', async () => {
    const text =
      'apiVersion: mesh-sandbox.dev/v1\nkind: Fault\nmetadata: { name: f }\nspec: { to: rating, delay: 1s }\n';
    const { findings } = await mesh.client.call('analyzeResources', { files: [{ name: 'f.yaml', text }] });
    expect(findings.map(({ code, source, hint }) => [code, source.line, hint])).toEqual([
      ['MS0011', 4, 'did you mean ratings?'],
    ]);
  });
});

describe('RateLimit', () => {
  it('lets so many pass, of those that it counts', async () => {
    await apply('RateLimit', '{ to: ratings, requests: 3, per: 1h, match: { prefix: /counted } }');
    const counted = [await ask('/counted'), await ask('/counted'), await ask('/counted'), await ask('/counted')];
    expect(counted).toEqual([200, 200, 200, 429]);
    expect(await ask('/free')).toBe(200);
  });
});
