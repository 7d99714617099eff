import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, createServer as createNetServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { portOf, raw } from '../support/raw.js';
import { until } from '../support/until.js';

/** One service behind gateway and sidecar; each test says what the app does. */
let mesh: TestMesh;
let answer: RequestListener = (_, response) => response.end('ok');
const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
let port = 0;

beforeAll(async () => {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () =>
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }),
    );
    answer(request, response);
  });
  mesh = await startMesh(appOf([workload('web')]), { web: server });
  port = portOf(mesh.gatewayUrl);
});
afterAll(() => mesh.close());

const request = (line: string, fields = ''): string => `${line} HTTP/1.1\r\nHost: web\r\n${fields}\r\n`;

describe('HTTP/1.1 through two proxies', () => {
  it('keeps a connection and answers pipelined requests in order, up to the malformed one', async () => {
    seen.length = 0;
    answer = (incoming, response) => response.end(incoming.url);
    const four = [1, 2, 3, 4].map((n) => request(`GET /p${n}`)).join('');
    const { received } = await raw(port, `${four}GET /p5 HTTP/1.1\r\nHost : web\r\n\r\n${request('GET /p6')}`);
    expect([...received.matchAll(/\/p\d/g)].map(String)).toEqual(['/p1', '/p2', '/p3', '/p4']);
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 400',
    ]);
    expect(seen.map(({ url }) => url)).toEqual(['/p1', '/p2', '/p3', '/p4']);
  });

  it('passes HEAD, 204 and 304 without a body, and what follows on the connection', async () => {
    answer = (incoming, response) => {
      if (incoming.url === '/204') response.writeHead(204).end();
      else if (incoming.url === '/304') response.writeHead(304, { 'content-length': '7' }).end();
      else response.writeHead(200, { 'content-length': '5' }).end(incoming.method === 'HEAD' ? undefined : 'hello');
    };
    const all =
      request('HEAD /x') + request('GET /204') + request('GET /304') + request('GET /x', 'Connection: close\r\n');
    const { received } = await raw(port, all);
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 204',
      'HTTP/1.1 304',
      'HTTP/1.1 200',
    ]);
    expect(received.match(/content-length: (\d+)/g)).toEqual([
      'content-length: 5',
      'content-length: 7',
      'content-length: 5',
    ]);
    expect(received.endsWith('hello')).toBe(true);
  });

  it('passes chunked bodies both ways', async () => {
    seen.length = 0;
    answer = (_, response) => {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('one');
      response.addTrailers({ 'x-sum': '2' });
      response.end('two');
    };
    const body = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
    const { received } = await raw(
      port,
      `${request('POST /c', 'Transfer-Encoding: chunked\r\nConnection: close\r\n')}${body}`,
    );
    expect(received).toMatch(/transfer-encoding: chunked/);
    expect(received).toMatch(/3\r\none\r\n3\r\ntwo\r\n0\r\nx-sum: 2\r\n\r\n$/);
    await until(() => seen.length === 1, 'the app has the request');
    expect(seen[0]?.body).toBe('abcde');
  });

  it('reads on behind a chunked body that came together with its head', async () => {
    answer = (incoming, response) => incoming.resume().on('end', () => response.end('ok'));
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    for (const count of [1, 2, 3]) {
      socket.write(`${request('POST /k', 'Transfer-Encoding: chunked\r\n')}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
      await until(() => received.match(/200 OK/g)?.length === count, `answer ${count} arrives`);
    }
    socket.destroy();
  });

  it('answers Expect: 100-continue once, and passes the body', async () => {
    seen.length = 0;
    answer = (incoming, response) => incoming.on('end', () => response.end('done'));
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(request('PUT /e', 'Content-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n'));
    await until(() => received.includes('100 Continue'), '100 arrives');
    socket.write('body');
    await until(() => received.includes('done'), 'the answer arrives');
    expect(received.match(/100 Continue/g)).toHaveLength(1);
    await until(() => seen[0]?.body === 'body', 'the app has the body');
    socket.destroy();
  });

  it('shows a truncated answer as a reset, never as a clean end', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('part', () => response.destroy());
    };
    const { received, reset } = await raw(port, request('GET /cut'));
    expect(received).toContain('part');
    expect(reset).toBe(true);
    await until(
      async () =>
        (await mesh.client.call('exchanges', { direction: 'gateway' })).some(
          ({ failure }) => failure === 'truncated_response',
        ),
      'it is recorded',
    );
  });

  it('aborts the app’s request when the client leaves', async () => {
    let aborted = false;
    let arrived = false;
    answer = (incoming, response) => {
      arrived = true;
      response.on('close', () => {
        aborted = !response.writableEnded;
      });
      incoming.resume();
    };
    const socket = connect(port, '127.0.0.1');
    socket.write(request('GET /leave'));
    await until(() => arrived, 'the app has it');
    socket.destroy();
    await until(() => aborted, 'the app sees the abort');
    await until(async () => (await mesh.client.call('exchanges', { flag: 'DC' })).length > 0, 'DC is recorded');
  });

  it('still answers a client that half-closed its side', async () => {
    answer = (_, response) => setImmediate(() => response.end('patience'));
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.end(request('GET /half'));
    await until(() => received.includes('patience'), 'the answer arrives');
    socket.destroy();
  });

  it('takes nobody’s word from outside for who asks', async () => {
    seen.length = 0;
    answer = (_, response) => response.end('ok');
    const forged = 'Forwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n';
    await raw(port, request('GET /forged', forged));
    const headers = seen[0]?.headers;
    expect([headers?.forwarded, headers?.['x-real-ip'], headers?.['x-forwarded-for']]).toEqual([
      undefined,
      undefined,
      '127.0.0.1',
    ]);
  });

  it('strips what only a sidecar may say, and hop-by-hop fields', async () => {
    seen.length = 0;
    answer = (_, response) => response.end();
    await raw(
      port,
      request(
        'GET /strip',
        'X-Mesh-Source: admin\r\nX-Envoy-Retry-On: 5xx\r\nX-Forwarded-Client-Cert: URI=spiffe://evil\r\nX-Forwarded-For: 1.2.3.4\r\nKeep-Alive: 5\r\nProxy-Authorization: x\r\nConnection: close\r\n',
      ),
    );
    await until(() => seen.length === 1, 'the app has it');
    const { headers } = seen[0] as (typeof seen)[0];
    expect(headers['x-mesh-source']).toBeUndefined();
    expect(headers['x-envoy-retry-on']).toBeUndefined();
    expect(headers['x-forwarded-client-cert']).toContain('URI=spiffe://cluster.local/ns/default/sa/gateway');
    expect(headers['x-forwarded-client-cert']).not.toContain('evil');
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['proxy-authorization']).toBeUndefined();
    expect(headers['keep-alive']).toBeUndefined();
  });

  it('does not let Connection smuggle a body of a GET (F2)', async () => {
    seen.length = 0;
    answer = (_, response) => response.end();
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n';
    await raw(
      port,
      `${request('GET /outer', `Connection: content-length, close\r\nContent-Length: ${smuggled.length}\r\n`)}${smuggled}`,
    );
    await until(() => seen.length > 0, 'the app has it');
    expect(seen.map(({ url, body }) => [url, body])).toEqual([['/outer', smuggled]]);
  });

  it('answers a slow reader without holding the body in memory', async () => {
    const total = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': String(total) });
      const more = (): void => {
        while (written < total && response.write(chunk)) written += chunk.length;
        if (written < total) {
          written += chunk.length;
          response.once('drain', more);
        } else response.end();
      };
      more();
    };
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(request('GET /big', 'Connection: close\r\n'));
    await new Promise((resolve) => socket.once('readable', resolve));
    // Nobody reads: what is on its way must be bounded by the sockets' buffers.
    let last = -1;
    await until(() => {
      const still = written === last;
      last = written;
      return still;
    }, 'the flow stops');
    expect(written).toBeLessThan(32 * 1024 * 1024);
    let bytes = 0;
    socket.on('data', (data) => {
      bytes += data.length;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    expect(bytes).toBeGreaterThan(total);
  });
});

describe('a tunnel after 101', () => {
  it('passes bytes both ways through gateway and sidecars', async () => {
    const echo = createNetServer((socket) => {
      socket.once('data', (head) => {
        const text = head.toString('latin1');
        if (!/upgrade: websocket/i.test(text))
          return socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst');
        socket.on('data', (data) => socket.write(data.toString('latin1').toUpperCase()));
      });
    });
    const own = await startMesh(appOf([workload('web')]), { web: echo as never });
    try {
      const socket = connect(portOf(own.gatewayUrl), '127.0.0.1');
      let received = '';
      socket.on('data', (data) => {
        received += data;
      });
      socket.write(request('GET /ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'));
      await until(() => received.includes('first'), '101 and the first bytes');
      expect(received).toMatch(/^HTTP\/1\.1 101 /);
      socket.write('hello');
      await until(() => received.includes('HELLO'), 'the echo');
      socket.destroy();
    } finally {
      await own.close();
    }
  });

  it('is not opened by a 101 that nobody asked for: no bytes get past the codec', async () => {
    let received = '';
    const rogue = createNetServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.on('data', (data) => {
          received += data;
        });
      });
    });
    const own = await startMesh(appOf([workload('web')]), { web: rogue as never });
    try {
      const smuggled = 'GET /smuggled HTTP/1.1\r\n\r\n';
      const answer = await raw(portOf(own.gatewayUrl), request('GET /plain', 'Connection: close\r\n') + smuggled);
      expect(answer.received).toMatch(/^HTTP\/1\.1 50[23] /);
      expect(answer.received).not.toContain('101');
      expect(received).toBe('');
    } finally {
      await own.close();
    }
  });
});
