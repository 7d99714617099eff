import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { portOf } from '../support/raw.js';
import { countHeard, listenAt } from '../support/streams.js';
import { until } from '../support/until.js';

let mesh: TestMesh;

beforeAll(async () => {
  // Speaks first, as MySQL does; then repeats what it hears in capitals, and ends when its peer ends.
  const database = createServer({ allowHalfOpen: true }, (socket) => {
    socket.write('hello from the database\n');
    socket.on('data', (data) => socket.write(data.toString().toUpperCase()));
    socket.on('end', () => socket.end('bye\n'));
    socket.on('error', () => {});
  });
  mesh = await startMesh(appOf([workload('web'), workload('db', { ports: [{ port: 3306, protocol: 'tcp' }] })]), {
    web: (_, response) => response.end(),
    db: database as never,
  });
});
afterAll(() => mesh.close());

describe('a TCP service', () => {
  it('passes through both sidecars as bytes, encrypted between them, half-close included', async () => {
    const socket = connect({
      port: portOf(await mesh.outboundUrl('web', 'db')),
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    await until(() => received.includes('hello from the database'), 'the server speaks first');
    socket.write('select 1;');
    await until(() => received.includes('SELECT 1;'), 'the answer');
    socket.end();
    await until(() => received.includes('bye'), 'the end');
    await until(async () => {
      const records = await mesh.client.call('exchanges', { to: 'db' });
      return records.some(
        ({ kind, security, reporter }) =>
          kind === 'tcp' && reporter.direction === 'outbound' && security.mode === 'mtls',
      );
    }, 'one tcp record over mutual TLS');
  });
});

describe('tcp rules of a VirtualService', () => {
  it('share connections between subsets, for the callers and ports that they are for', async () => {
    const speaker = (name: string) => createServer((socket) => socket.on('error', () => {}).end(name));
    const two = await startMesh(
      appOf([
        workload('web-v1'),
        ...['db-v1', 'db-v2'].map((name) => workload(name, { ports: [{ port: 3306, protocol: 'tcp' }] })),
      ]),
      {
        'web-v1': (_, response) => void response.end(),
        'db-v1': speaker('v1') as never,
        'db-v2': speaker('v2') as never,
      },
      { seed: 3 },
    );
    const rules = (http: string) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: db }
spec: { host: db, subsets: [ { name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } } ] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: db }
spec:
  hosts: [ db ]
  tcp:
  - { match: [ { port: 3306, sourceLabels: { app: other } } ], route: [ { destination: { host: nobody } } ] }
${http}`;
    const apply = (text: string) => two.client.call('applyResources', { files: [{ name: 'tcp.yaml', text }] });
    const heard = async (): Promise<string> => {
      const { text, socket } = await listenAt(await two.outboundUrl('web-v1', 'db'));
      socket.destroy();
      return text;
    };
    const all = (times: number) => countHeard(times, heard);
    const to = (subset: string, weight = 1) => `{ destination: { host: db, subset: ${subset} }, weight: ${weight} }`;
    expect((await apply(rules(`  - { route: [ ${to('v2')} ] }\n`))).applied).toBe(true);
    expect(await all(10)).toEqual({ v2: 10 });
    await apply(rules(`  - { route: [ ${to('v1', 80)}, ${to('v2', 20)} ] }\n`));
    const { v1 = 0, v2 = 0 } = await all(100);
    expect(v1 + v2).toBe(100);
    expect(Math.abs(v1 - 80)).toBeLessThan(14);
    await apply(rules('  - { route: [ { destination: { host: nobody } } ] }\n'));
    expect(await heard()).toBe('');
    await until(async () => {
      const told = await two.client.call('exchanges', { from: 'web-v1', direction: 'outbound' });
      return told.some(({ decisions }) =>
        decisions.some(({ text }) => text === 'rule 2 of VirtualService default/db sent it to db v2'),
      );
    }, 'the rule is told');
    await two.close();
  });
});
