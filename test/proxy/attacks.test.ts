import { createServer, type RequestListener } from 'node:http';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { portOf, raw } from '../support/raw.js';
import { until } from '../support/until.js';

/** What an attacker tried with success once. */
let mesh: TestMesh;
let port = 0;
let answer: RequestListener = (_, response) => response.end('ok');
let asked = 0;

beforeAll(async () => {
  mesh = await startMesh(appOf([workload('web')]), {
    web: createServer((request, response) => {
      asked++;
      answer(request, response);
    }),
  });
  port = portOf(mesh.gatewayUrl);
});
afterAll(() => mesh.close());
afterEach(() => mesh.client.call('clearFaults', {}));

const request = (line: string, fields = ''): string => `${line} HTTP/1.1\r\nHost: web\r\n${fields}\r\n`;

/** A client that sends and looks on. */
function client(): { socket: Socket; received: () => string; closed: () => boolean } {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let closed = false;
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      closed = true;
    });
  return { socket, received: () => received, closed: () => closed };
}

describe('a malformed chunk in the packet of the head', () => {
  it.each([
    'zz\r\n',
    '0x1\r\na\r\n0\r\n\r\n',
    '1234567890123\r\n',
    '1\na\n0\n\n',
    '1\r\naX\r\n',
    '0\r\nContent-Length: 1\r\n\r\n',
  ])('%j is refused, and the connection ends', async (body) => {
    const { received } = await raw(port, request('POST /t', 'Transfer-Encoding: chunked\r\n') + body);
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('answers that have no content', () => {
  const statuses = async (lines: string[]) => {
    const { received } = await raw(
      port,
      lines.map((line) => request(line)).join('') + request('GET /end', 'Connection: close\r\n'),
    );
    return received;
  };

  it('the proxy’s own to HEAD says how long it would be, and no more', async () => {
    await mesh.client.call('addFault', { name: 'sick', to: 'web', reset: true });
    const received = await statuses(['HEAD /a']);
    const [first = '', rest = ''] = received.split('\r\n\r\n', 2);
    expect(first).toMatch(/^HTTP\/1\.1 503 /);
    expect(first).toMatch(/content-length: [1-9]/);
    expect(rest).toMatch(/^HTTP\/1\.1 503 /);
  });

  it.each([204, 205, 304])('an injected %i is followed by the next answer at once', async (status) => {
    await mesh.client.call('addFault', { name: 'odd', to: 'web', abort: status, first: 1 });
    const received = await statuses(['GET /a']);
    const [first = '', rest = ''] = received.split('\r\n\r\n', 2);
    expect(first).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(/content-length: (.*)/.exec(first)?.[1]).toBe(status === 205 ? '0' : undefined);
    expect(rest).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a caller that does not read', () => {
  it('gets no more answers made for it than its connection holds', async () => {
    answer = (_, response) => response.end('x'.repeat(8_000));
    asked = 0;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}).pause();
    const all = 4_000;
    socket.write(request('GET /m').repeat(all));
    let before = -1;
    await until(() => {
      const still = asked === before;
      before = asked;
      return still && asked > 0;
    }, 'no more are asked for');
    expect(asked).toBeLessThan(all / 2);
    socket.resume();
    await until(() => asked === all, 'all of them are made when it reads', 30_000);
    socket.destroy();
  });
});

describe('a caller that ends its side', () => {
  it('gets the answers to everything that it had asked before', async () => {
    answer = (incoming, response) => void setImmediate(() => response.end(incoming.url));
    const { socket, received } = client();
    socket.end(request('GET /one') + request('GET /two') + request('GET /three'));
    await until(() => received().includes('/three'), 'the third answer');
    expect(received().match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  });

  it('and is gone while an answer says nothing, is noticed by the app', async () => {
    let appClosed = false;
    answer = (_, response) => {
      response.on('close', () => {
        appClosed = true;
      });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    };
    const { socket, received } = client();
    socket.write(request('GET /events'));
    await until(() => received().includes('data: 1'), 'the first event');
    socket.destroy();
    await until(() => appClosed, 'the app is told', 10_000);
  });
});

describe('a tunnel whose caller ended its side before it was opened', () => {
  it('ends when the app ends too', async () => {
    const open = new Set<Socket>();
    let upgrades = 0;
    const app = createNetServer((socket) => {
      open.add(socket);
      socket.on('error', () => {}).on('close', () => open.delete(socket));
      socket.once('data', () => {
        upgrades++;
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.on('end', () => socket.end());
        socket.resume();
      });
    });
    const own = await startMesh(appOf([workload('web')]), { web: app as never });
    try {
      const socket = connect(portOf(own.gatewayUrl), '127.0.0.1');
      socket.on('error', () => {});
      socket.end(request('GET /ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'));
      socket.resume();
      await until(() => upgrades > 0, 'the tunnel is open');
      await until(() => open.size === 0, 'and ends');
    } finally {
      await own.close();
    }
  });
});
