import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { portOf } from '../support/raw.js';
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
