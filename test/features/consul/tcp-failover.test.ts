import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { portOf } from '../../support/raw.js';

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

function heard(): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    void mesh.outboundUrl('web', 'db').then((url) =>
      connect(portOf(url), '127.0.0.1')
        .on('data', (data) => {
          text += data.toString();
        })
        .on('error', () => {})
        .on('close', () => resolve(text)),
    );
  });
}

it('failover of a ServiceResolver for TCP: the other service is asked when nobody of the first is well', async () => {
  const text = `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceResolver
metadata: { name: db }
spec: { failover: { '*': { service: spare } } }
`;
  const { applied } = await mesh.client.call('applyResources', { files: [{ name: 'r.yaml', text }] });
  expect(applied).toBe(true);
  const before = new Set<string>();
  for (let n = 0; n < 15; n++) before.add(await heard());
  expect([...before]).toEqual(['db']);
});
