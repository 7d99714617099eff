import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { countHeard, listenAt } from '../../support/streams.js';

const TCP = [{ port: 3306, protocol: 'tcp' as const }];
let mesh: TestMesh;

beforeAll(async () => {
  const says = (name: string) => createServer((socket) => socket.on('error', () => {}).end(name)) as never;
  mesh = await startMesh(
    appOf([workload('web'), workload('db', { ports: TCP }), workload('spare', { ports: TCP })]),
    { web: (_, response) => response.end(), db: says('db'), spare: says('spare') },
    { flavor: 'consul' },
  );
});
afterAll(() => mesh.close());

describe('failover of a ServiceResolver for TCP', () => {
  it.each([
    ['the first is asked as long as anybody of it is well', '', { db: 15 }],
    [
      'the other service is asked when nobody of the first is',
      "subsets: { v9: { filter: 'Service.Meta.version == v9' } }, defaultSubset: v9,",
      { spare: 15 },
    ],
  ])('%s', async (_, more, counts) => {
    const text = `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceResolver
metadata: { name: db }
spec: { ${more} failover: { '*': { service: spare } } }
`;
    const { applied } = await mesh.client.call('applyResources', { files: [{ name: 'r.yaml', text }] });
    expect(applied).toBe(true);
    const url = await mesh.outboundUrl('web', 'db');
    expect(await countHeard(15, async () => (await listenAt(url)).text)).toEqual(counts);
  });
});
