import { connect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { TERMS } from '../support/authority.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { raw } from '../support/raw.js';
import { until } from '../support/until.js';

let mesh: TestMesh;
const headers: string[] = [];
let inbound = 0;

beforeAll(async () => {
  mesh = await startMesh(appOf([workload('web'), workload('ratings')]), {
    web: (_, response) => response.end(),
    ratings: (request, response) => {
      headers.push(String(request.headers['x-forwarded-client-cert'] ?? ''));
      response.end('stars');
    },
  });
  const view = (await mesh.client.call('workloads', {})).find(({ name }) => name === 'ratings');
  inbound = view?.listenPorts['in:9080'] ?? 0;
});
afterAll(() => mesh.close());

const GET =
  'GET /plain HTTP/1.1\r\nHost: ratings\r\nX-Forwarded-Client-Cert: URI=spiffe://evil\r\nX-Mesh-Source: web\r\nConnection: close\r\n\r\n';

describe('mutual TLS', () => {
  it('permissive: takes plaintext, without any identity', async () => {
    headers.length = 0;
    const { received } = await raw(inbound, GET);
    expect(received).toMatch(/^HTTP\/1\.1 200/);
    expect(headers).toEqual(['']);
    await until(
      async () =>
        (await mesh.client.call('exchanges', { from: 'unknown' })).some(({ security }) => security.mode === 'plain'),
      'the record says plain',
    );
  });

  it('strict: plaintext ends without a byte, and the app is not asked', async () => {
    await mesh.client.call('setFeatures', { mtls: 'strict' });
    headers.length = 0;
    const { received } = await raw(inbound, GET);
    expect(received).toBe('');
    expect(headers).toEqual([]);
    const response = await fetch(`${await mesh.outboundUrl('web', 'ratings')}/strict`);
    expect(response.status).toBe(200);
    await until(
      async () =>
        (await mesh.client.call('exchanges', { direction: 'inbound' })).some(
          ({ failure }) => failure === 'plaintext_refused',
        ),
      'the refusal is recorded',
    );
    await mesh.client.call('setFeatures', { mtls: 'permissive' });
  });

  it('strict: ends a plaintext connection that was open before, after what it is at', async () => {
    const socket = connect(inbound, '127.0.0.1');
    let received = '';
    let ended = false;
    socket.on('data', (data) => {
      received += data;
    });
    socket.on('end', () => {
      ended = true;
    });
    socket.on('error', () => {});
    const keep = GET.replace('Connection: close\r\n', '');
    socket.write(keep);
    await until(() => received.includes('stars'), 'the first answer');
    await mesh.client.call('setFeatures', { mtls: 'strict' });
    await until(() => ended, 'the connection ends');
    headers.length = 0;
    socket.write(keep);
    socket.destroy();
    expect(headers).toEqual([]);
    await mesh.client.call('setFeatures', { mtls: 'permissive' });
  });

  it('strict: TLS without a certificate, or with one of a stranger, ends without an answer', async () => {
    for (const options of [{}, { key: STRANGER.key, cert: STRANGER.certificate }]) {
      headers.length = 0;
      const answer = await new Promise<string>((resolve) => {
        const socket = tlsConnect({ host: '127.0.0.1', port: inbound, rejectUnauthorized: false, ...options });
        let received = '';
        socket.on('secureConnect', () => socket.write(GET));
        socket.on('data', (data) => {
          received += data;
        });
        socket.on('error', () => {});
        socket.on('close', () => resolve(received));
      });
      expect(answer).toBe('');
      expect(headers).toEqual([]);
    }
  });

  it('disabled: both sides speak plaintext, and the record says so', async () => {
    await mesh.client.call('setFeatures', { mtls: 'disable' });
    const response = await fetch(`${await mesh.outboundUrl('web', 'ratings')}/disabled`);
    expect(response.status).toBe(200);
    await until(async () => {
      const found = (await mesh.client.call('exchanges', { direction: 'outbound' })).find(
        ({ request }) => request.path === '/disabled',
      );
      return found?.security.mode === 'plain';
    }, 'plain is recorded');
    await mesh.client.call('setFeatures', { mtls: 'permissive' });
  });
});

/** A certificate that nobody in the mesh trusts. */
const STRANGER = await (async () => {
  const { Authority } = await import('../../src/control-plane/authority/authority.js');
  const { systemClock } = await import('../../src/platform/clock.js');
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const { join } = await import('node:path');
  const directory = mkdtempSync(join(tmpdir(), 'mesh-stranger-'));
  const authority = await Authority.open(directory, systemClock, TERMS);
  rmSync(directory, { recursive: true });
  return authority.serverCredentials('spiffe://cluster.local/ns/default/sa/web', 'stranger');
})();
