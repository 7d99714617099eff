import { connect, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SidecarConfig } from '../../../src/model/sidecar-config.js';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { portOf, raw } from '../../support/raw.js';

const FLAVORS = ['istio', 'linkerd', 'consul'] as const;
type FlavorName = (typeof FLAVORS)[number];

/** What the app was sent. */
let heard = '';

/** Answers HTTP with HTTP, and everything else with what it heard. */
function speaksBoth(): Server {
  return createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      heard += data.toString('latin1');
      if (/ HTTP\/1\.[01]\r\n/.test(heard)) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else socket.end(`heard ${data}`);
    });
  });
}

/** Greets before it is spoken to. */
function speaksFirst(): Server {
  return createServer((socket) => {
    socket.on('error', () => {});
    socket.write('greetings');
    socket.on('data', () => socket.end());
  });
}

const meshes = {} as Record<FlavorName, TestMesh>;

beforeAll(async () => {
  for (const flavor of FLAVORS) {
    const app = appOf([workload('web'), workload('both'), workload('first')]);
    meshes[flavor] = await startMesh(
      // Linkerd would wait for 10 s.
      { ...app, limits: flavor === 'linkerd' ? { detectMs: 150 } : {} },
      { both: speaksBoth() as never, first: speaksFirst() as never },
      { flavor },
    );
  }
});
afterEach(async () => {
  heard = '';
  for (const flavor of FLAVORS) await meshes[flavor].client.call('deleteResources', { all: true });
});
afterAll(async () => {
  for (const mesh of Object.values(meshes)) await mesh.close();
});

/** A Service with one port, as it calls it. */
async function serve(flavor: FlavorName, name: string, words: string): Promise<void> {
  const text = `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [ { port: 9080${words} } ] }
`;
  const { applied } = await meshes[flavor].client.call('applyResources', { files: [{ name: 's.yaml', text }] });
  expect(applied).toBe(true);
}

async function protocolOf(flavor: FlavorName, name: string): Promise<string | undefined> {
  const { configs } = await meshes[flavor].client.call('snapshot', {});
  return (configs['web'] as SidecarConfig).outbound.clusters.find(({ service }) => service === name)?.protocol;
}

const say = async (flavor: FlavorName, name: string, bytes: string): Promise<string> =>
  (await raw(portOf(await meshes[flavor].outboundUrl('web', name)), bytes, (text) => text === 'greetings')).received;

const GET = (version = '1.1') => `GET /x HTTP/${version}\r\nHost: both\r\nConnection: close\r\n\r\n`;

describe('19: a port of a Service that does not say what it speaks', () => {
  it.each([
    ['istio', '', 'auto'],
    ['istio', ', name: web', 'auto'],
    ['istio', ', name: http-web', 'http'],
    ['istio', ', name: tcp-web', 'tcp'],
    ['istio', ', name: tcp-web, appProtocol: http', 'http'],
    ['istio', ', appProtocol: something.else', 'auto'],
    ['linkerd', '', 'auto'],
    ['linkerd', ', appProtocol: http', 'http'],
    ['linkerd', ', appProtocol: something.else', 'tcp'],
    // What the app's own file says, where a cluster of Consul asks for a ServiceDefaults.
    ['consul', '', 'http'],
  ] as const)('%s%s: %s', async (flavor, words, protocol) => {
    await serve(flavor, 'both', words);
    expect(await protocolOf(flavor, 'both')).toBe(protocol);
  });

  it.each(['istio', 'linkerd'] as const)('%s sees that it is HTTP', async (flavor) => {
    await serve(flavor, 'both', '');
    expect(await say(flavor, 'both', GET())).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    // As HTTP it has passed two proxies.
    expect(heard.toLowerCase()).toContain('x-request-id');
  });

  it.each(['istio', 'linkerd'] as const)('%s sees that it is not, and passes it as it is', async (flavor) => {
    await serve(flavor, 'both', '');
    expect(await say(flavor, 'both', 'SELECT 1;\n')).toBe('heard SELECT 1;\n');
    heard = '';
    expect(await say(flavor, 'both', GET('1.0'))).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-length: 2\r\n\r\nok$/);
    expect(heard).toBe(GET('1.0'));
  });

  it('linkerd takes who is silent for bytes after a while', async () => {
    await serve('linkerd', 'first', '');
    expect(await say('linkerd', 'first', '')).toBe('greetings');
  });

  it('istio waits for who is silent, until the port says that it is TCP', async () => {
    await serve('istio', 'first', '');
    const silent = connect(portOf(await meshes.istio.outboundUrl('web', 'first')), '127.0.0.1');
    let received = '';
    silent.on('data', (data) => {
      received += data;
    });
    await serve('istio', 'first', ', name: tcp-first');
    expect(await say('istio', 'first', '')).toBe('greetings');
    expect(received).toBe('');
    silent.destroy();
  });
});
