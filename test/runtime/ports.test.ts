import { createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { engineError, takenPort } from '../../src/runtime/docker/engine-error.js';
import { freePort, portHolder } from '../../src/runtime/ports.js';
import { SandboxError } from '../../src/runtime/runtime.js';

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

describe('who holds a port', () => {
  it('nobody, when it is free', async () => {
    expect(await portHolder(await freePort(), null)).toBeNull();
  });

  it('the process that listens, by number and command', async () => {
    const { server, port } = await listening();
    expect(await portHolder(port, null)).toMatch(new RegExp(`^process ${process.pid} \\(.+\\)$`));
    server.close();
  });

  it('the container that publishes it, when the engine knows one', async () => {
    const { server, port } = await listening();
    const engine = { publisherOf: async () => 'container web (project shop)' };
    expect(await portHolder(port, engine)).toBe('container web (project shop)');
    server.close();
  });
});

describe('a free port', () => {
  it('is given once, though nobody listens there yet: of 600 by chance two would be the same', async () => {
    const ports = [];
    for (let n = 0; n < 600; n++) ports.push(await freePort());
    expect(new Set(ports).size).toBe(600);
  });

  it('is none of those that others chose', async () => {
    const all = Array.from({ length: 17_000 }, (_, i) => 15_000 + i);
    const left = all.slice(0, 4_000);
    const port = await freePort(all.slice(4_000));
    expect(left).toContain(port);
  });
});

describe('errors of the engine', () => {
  it.each([
    ['(HTTP code 500) server error - driver failed: Bind for 127.0.0.1:8080 failed: port is already allocated', 8080],
    ['Error starting userland proxy: listen tcp4 127.0.0.1:9090: bind: address already in use', 9090],
    ['listen tcp 0.0.0.0:81: bind: address already in use', 81],
    ['failed to bind host port for 127.0.0.1:8081:172.17.0.2:80/tcp: address already in use', 8081],
    ['failed to bind host port 127.0.0.1:8082/tcp: address already in use', 8082],
    ['no such container', null],
  ])('sees the taken port in %s', (text, port) => expect(takenPort(new Error(text))).toBe(port));

  it.each(['ECONNREFUSED', 'ENOENT', 'EPIPE', 'ECONNRESET'])('says that Docker is gone on %s', (code) => {
    const error = engineError(Object.assign(new Error(`connect ${code}`), { code }), 'starting front/app');
    expect(error).toBeInstanceOf(SandboxError);
    expect(error.message).toBe('Docker stopped answering while starting front/app');
    expect(error.hints.join()).toContain('mesh-sandbox down');
  });

  it('says that the disk is full', () => {
    expect(engineError(new Error('write /x: no space left on device'), 'making the image').message).toBe(
      'the disk is full (making the image)',
    );
  });
});
