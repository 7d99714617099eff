import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';
import { type Capture, captureLoopback, describeWire, type Flow } from '../support/wire.js';

const FLAVORS = ['istio', 'linkerd', 'consul'] as const;

/** Whether bytes are TLS records from the first to the last, as far as they go (RFC 8446 §5.1). */
function isTls(bytes: Buffer): boolean {
  let at = 0;
  while (at + 5 <= bytes.length) {
    const [type, major] = [bytes[at] as number, bytes[at + 1] as number];
    if (type < 20 || type > 23 || major !== 3) return false;
    at += 5 + bytes.readUInt16BE(at + 3);
  }
  return bytes.length > 0;
}

describeWire('B-163: what goes over the wire', () => {
  let app: Server;
  let appPort = 0;
  const meshes = {} as Record<(typeof FLAVORS)[number], TestMesh>;

  beforeAll(async () => {
    app = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.end('answer-in-plain-words'));
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    appPort = (app.address() as AddressInfo).port;
    for (const flavor of FLAVORS)
      meshes[flavor] = await startMesh(
        appOf([workload('web'), workload('ratings')]),
        { ratings: { 9080: appPort } },
        { flavor, features: { mtls: 'strict' } },
      );
  });
  afterAll(async () => {
    for (const mesh of Object.values(meshes)) await mesh.close();
    app.close();
  });

  /** A POST of `web` to `ratings`, and what was captured of it to and from both ports. */
  async function captured(mesh: TestMesh, words: string): Promise<{ between: Flow[]; toApp: Flow[] }> {
    const inbound =
      (await mesh.client.call('workloads', {})).find(({ name }) => name === 'ratings')?.listenPorts['in:9080'] ?? 0;
    let capture: Capture | null = null;
    try {
      capture = await captureLoopback([inbound, appPort]);
      const url = `${await mesh.outboundUrl('web', 'ratings')}/secret-path`;
      const response = await fetch(url, { method: 'POST', body: words, headers: { connection: 'close' } });
      expect([response.status, await response.text()]).toEqual([200, 'answer-in-plain-words']);
      const ofPort = (port: number) => capture?.flows().filter(({ from, to }) => from === port || to === port) ?? [];
      await until(
        async () => ofPort(appPort).some(({ bytes }) => bytes.includes('answer-in-plain-words')),
        'the answer is captured',
      );
      return { between: ofPort(inbound), toApp: ofPort(appPort) };
    } finally {
      await capture?.close();
    }
  }

  it.each(FLAVORS)('%s: between sidecars TLS records only, and plaintext on the way to the app', async (flavor) => {
    const words = `words-of-${flavor}-${'x'.repeat(40_000)}-end`;
    const { between, toApp } = await captured(meshes[flavor], words);
    // Both ways of at least one connection.
    expect(between.length).toBeGreaterThanOrEqual(2);
    for (const { bytes } of between) {
      expect([bytes[0], bytes[1]]).toEqual([0x16, 0x03]);
      expect(isTls(bytes)).toBe(true);
      for (const plain of ['words-of-', 'secret-path', 'answer-in', 'HTTP/1.1'])
        expect(bytes.includes(plain), plain).toBe(false);
    }
    // Whom it is for is there to read, as with Istio: the name that the handshake asks for.
    expect(between.some(({ bytes }) => bytes.includes('ratings.default'))).toBe(true);
    const all = toApp.map(({ bytes }) => bytes.toString('latin1')).join('');
    expect(all).toContain(words);
    expect(all).toContain('POST /secret-path HTTP/1.1');
  });

  it('without mutual TLS it is all there to read', async () => {
    const mesh = await startMesh(
      appOf([workload('web'), workload('ratings')]),
      { ratings: { 9080: appPort } },
      { features: { mtls: 'disable' } },
    );
    try {
      const { between } = await captured(mesh, 'words-for-everybody');
      const all = between.map(({ bytes }) => bytes.toString('latin1')).join('');
      expect(all).toContain('words-for-everybody');
      expect(between.some(({ bytes }) => isTls(bytes))).toBe(false);
    } finally {
      await mesh.close();
    }
  });
});
