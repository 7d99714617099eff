import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { portOf, raw } from '../support/raw.js';
import { until } from '../support/until.js';

/**
 * What Linkerd's proxy promises about HTTP/1 (`transparency.rs`; B-131), between a raw client and a raw app through two
 * sidecars and mutual TLS: what an app must not be able to tell from a mesh that is not there.
 */
let mesh: TestMesh;
let port: number;
/** What the app got in this test, per connection. */
const connections = new Map<Socket, string>();
const got = (): string[] => [...connections.values()];
/** What it answers to what it has got on a connection so far. */
let onData: (socket: Socket, all: string) => void;

const answer = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
const HOST = 'Host: app:9080\r\n';
const CLOSE = 'Connection: close\r\n';

beforeAll(async () => {
  const app = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.setEncoding('latin1').on('data', (text: string) => {
      const all = (connections.get(socket) ?? '') + text;
      connections.set(socket, all);
      onData(socket, all);
    });
  });
  mesh = await startMesh(appOf([workload('web'), workload('app')]), {
    web: (_, response) => response.end(),
    app: app as never,
  });
  port = portOf(await mesh.outboundUrl('web', 'app'));
});
afterAll(() => mesh.close());

beforeEach(() => {
  connections.clear();
  onData = (socket) => socket.write(answer('ok'));
});

/** The app's fields of one request, by name. */
function fieldsOf(message: string): Map<string, string> {
  const lines = (message.split('\r\n\r\n')[0] as string).split('\r\n').slice(1);
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
}

async function ask(text: string): Promise<{ received: string; fields: Map<string, string> }> {
  const { received } = await raw(port, text);
  return { received, fields: fieldsOf(got().join('')) };
}

describe('requests', () => {
  it('lose the fields of their connection, and keep all others', async () => {
    const { fields, received } = await ask(
      `GET / HTTP/1.1\r\n${HOST}X-Keep: 1\r\nX-Drop: 2\r\nKeep-Alive: 5\r\nTE: gzip\r\nConnection: close, x-drop\r\n\r\n`,
    );
    expect(fields.get('x-keep')).toBe('1');
    expect([...fields.keys()].filter((name) => /^(x-drop|keep-alive|te|connection)$/.test(name))).toEqual([]);
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('tell the app nothing of how sidecars talk to each other', async () => {
    const { fields } = await ask(`GET / HTTP/1.1\r\n${HOST}${CLOSE}X-Mesh-Hops: 9\r\nX-Mesh-Deadline-Ms: 1\r\n\r\n`);
    expect([...fields.keys()].filter((name) => name.startsWith('x-mesh-'))).toEqual([]);
    expect(fields.get('host')).toBe('app:9080');
  });

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH'])(
    '%s without a body gets no framing',
    async (method) => {
      const { fields } = await ask(`${method} / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`);
      expect(fields.has('transfer-encoding')).toBe(false);
      // Of these methods a server may expect a body, and an empty one says so (RFC 9110, 8.6).
      expect(fields.get('content-length') ?? '0').toBe('0');
    },
  );

  it('keep a length of nothing', async () => {
    const { fields } = await ask(`POST / HTTP/1.1\r\n${HOST}${CLOSE}Content-Length: 0\r\n\r\n`);
    expect(fields.get('content-length')).toBe('0');
  });

  it('keep their body’s length', async () => {
    await ask(`POST / HTTP/1.1\r\n${HOST}${CLOSE}Content-Length: 5\r\n\r\nhello`);
    expect(fieldsOf(got()[0] as string).get('content-length')).toBe('5');
    expect(got()[0]).toMatch(/\r\n\r\nhello$/);
  });

  it('keep their chunks', async () => {
    onData = (socket, all) => {
      if (all.endsWith('0\r\n\r\n')) socket.write(answer('ok'));
    };
    await ask(`POST / HTTP/1.1\r\n${HOST}${CLOSE}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
    expect(fieldsOf(got()[0] as string).get('transfer-encoding')).toBe('chunked');
    expect(got()[0]).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
  });

  it('of HTTP/1.0 are refused as Istio’s sidecars refuse them, and their connection ends', async () => {
    const { received } = await raw(port, `GET / HTTP/1.0\r\n${HOST}\r\n`);
    expect(received).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(got()).toHaveLength(0);
  });

  it('in absolute form go where both names say, and nowhere when they differ', async () => {
    expect((await ask(`GET http://app:9080/x HTTP/1.1\r\n${HOST}${CLOSE}\r\n`)).received).toMatch(/^HTTP\/1\.1 200/);
    expect(got()[0]).toMatch(/^GET \/x HTTP\/1\.1\r\n/);
    const { received } = await raw(port, `GET http://other/x HTTP/1.1\r\n${HOST}${CLOSE}\r\n`);
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(got()).toHaveLength(1);
  });

  it.each(['CONNECT app:9080 HTTP/1.1', 'CONNECT / HTTP/1.1', 'CONNECT app HTTP/1.0'])(
    '%s is refused',
    async (line) => {
      const { received } = await raw(port, `${line}\r\n${HOST}${CLOSE}\r\n`);
      expect(received).toMatch(/^HTTP\/1\.1 (400|405|426) /);
      expect(got()).toHaveLength(0);
    },
  );
});

describe('upgrades', () => {
  it('become a stream of bytes both ways', async () => {
    onData = (socket, all) => {
      if (all.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      else socket.end(`you said ${all.slice(-5)}`);
    };
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (received.endsWith('\r\n\r\n')) socket.write('hello');
    });
    socket.write(`GET / HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`);
    await until(() => received.endsWith('you said hello'), 'the echo');
    socket.destroy();
  });

  it('to h2c are not passed on: a tunnel that nobody sees into', async () => {
    const { fields, received } = await ask(
      `GET / HTTP/1.1\r\n${HOST}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: close, Upgrade, HTTP2-Settings\r\n\r\n`,
    );
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(fields.has('upgrade') || fields.has('http2-settings')).toBe(false);
  });
});

describe('answers', () => {
  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 55\r\n\r\n', /^HTTP\/1\.1 200 OK\r\ncontent-length: 55\r\n/],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', /^HTTP\/1\.1 204 No Content\r\n/],
    ['GET', 'HTTP/1.1 304 Not Modified\r\n\r\n', /^HTTP\/1\.1 304 Not Modified\r\n/],
  ])('to %s without content have none: %j', async (method, text, expected) => {
    onData = (socket) => socket.write(text);
    const { received } = await raw(port, `${method} / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`);
    expect(received.toLowerCase()).toMatch(new RegExp(expected.source, 'i'));
    expect(received).toMatch(/\r\n\r\n$/);
    expect(received).not.toContain('ransfer-encoding');
  });

  it('until the end of the connection come whole', async () => {
    onData = (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
    const { received } = await raw(port, `GET / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`);
    expect(received).toContain('until the end');
  });

  it('lose the fields of their connection', async () => {
    onData = (socket) =>
      socket.write(answer('ok', 'X-Keep: 1\r\nX-Drop: 2\r\nKeep-Alive: 5\r\nConnection: x-drop\r\n'));
    const { received } = await raw(port, `GET / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`);
    expect(received.toLowerCase()).toContain('x-keep: 1');
    expect(received.toLowerCase()).not.toMatch(/x-drop|keep-alive/);
  });
});

describe('connections', () => {
  it('to the app are reused, one request at a time', async () => {
    for (let i = 0; i < 3; i++) await raw(port, `GET /${i} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`);
    expect(got()).toHaveLength(1);
    expect(got()[0]?.match(/GET \/\d/g)).toEqual(['GET /0', 'GET /1', 'GET /2']);
  });

  it('of callers that leave end at the app too', async () => {
    let open = 0;
    onData = (socket) => {
      open++;
      socket.on('close', () => open--);
    };
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`));
    socket.on('error', () => {});
    await until(() => open === 1, 'the app has it');
    socket.destroy();
    await until(() => open === 0, 'the app is told');
  });

  it('to a sidecar’s inbound port are no way to anybody but its own app', async () => {
    const inbound = (await mesh.client.call('workloads', {})).find(({ name }) => name === 'web')?.listenPorts ?? {};
    const own = Object.entries(inbound).find(([name]) => name.startsWith('in:'))?.[1];
    if (own === undefined) throw new Error(`no inbound port: ${JSON.stringify(inbound)}`);
    // Whatever host is asked for there, what answers is web’s own app.
    const { received } = await raw(own, `GET / HTTP/1.1\r\nHost: app:9080\r\n${CLOSE}\r\n`);
    expect(received).toMatch(/^HTTP\/1\.1 /);
    expect(got()).toHaveLength(0);
  });
});
