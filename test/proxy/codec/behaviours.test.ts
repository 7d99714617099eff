import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.js';
import { raw } from '../../support/raw.js';
import { bedPerTest } from '../../support/raw-backend.js';
import { until } from '../../support/until.js';

/** The behaviours B1 to B14 of the security rules (2.4), between raw bytes on both sides of one sidecar. */
type OnData = Parameters<typeof bedOf>[0];
const bedOf = bedPerTest();
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const HOST = 'Host: web\r\n';
const CLOSE = 'Connection: close\r\n';
const request = (line: string, fields = ''): string => `${line} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const answer = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
const OK = answer('ok');
/** Answers each request without a body, by its path. */
const echo: OnData = (socket, all) => {
  if (all.endsWith('\r\n\r\n'))
    socket.write(answer(/([^ ]+) HTTP\/1\.1\r\n(?![\s\S]* HTTP\/1\.1\r\n)/.exec(all)?.[1] ?? ''));
};
const statuses = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]));

/** A client that does nothing by itself. */
function client(port: number) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  sockets.push(socket);
  const state = { socket, received: '', ended: false, closed: false };
  socket.setEncoding('latin1').on('data', (text: string) => {
    state.received += text;
  });
  socket.on('error', () => {});
  socket.on('end', () => {
    state.ended = true;
  });
  socket.on('close', () => {
    state.closed = true;
  });
  return state;
}

/** Sends each as soon as the one before is answered, so that its connection is free again. */
async function oneByOne(port: number, requests: readonly string[]): Promise<string> {
  const caller = client(port);
  for (const [n, text] of requests.entries()) {
    caller.socket.write(text);
    await until(() => statuses(caller.received).length > n, `answer ${n + 1}`);
  }
  return caller.received;
}

describe('B1: one framing, read in one way', () => {
  const inner = request('GET /smuggled');
  it.each([
    ['CL.TE', `Content-Length: 6\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${inner}`, 400],
    ['TE.CL', `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`, `5c\r\n${inner}0\r\n\r\n`, 400],
    ['TE.TE', `Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n`, `0\r\n\r\n${inner}`, 501],
    ['TE.0', `Transfer-Encoding: x\r\n`, `0\r\n\r\n${inner}`, 501],
    ['CL.CL', `Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`, inner, 400],
    ['0.CL', `Content-Length: 0\r\nExpect: 100-continue\r\n`, inner, 400],
    ['LF in a chunk extension', `Transfer-Encoding: chunked\r\n`, `0;\nx\r\n\r\n${inner}`, 400],
    ['framing in trailers', `Transfer-Encoding: chunked\r\n`, `0\r\nContent-Length: 4\r\n\r\n${inner}`, 400],
  ])('%s', async (_, fields, body, status) => {
    const { port, backend } = await bedOf(echo);
    const { received } = await raw(port, request('POST /outer', fields) + body);
    expect(statuses(received)).toEqual([status]);
    expect(backend.received.join('')).toBe('');
  });

  it('CL.0: what a back end takes for a second request answers nobody', async () => {
    // It reads no bodies: what stands in one is the next request to it.
    const { port } = await bedOf((socket, all) => {
      if (all.includes('/outer')) socket.write(OK + (all.includes('/smuggled') ? answer('smuggled') : ''));
      else echo(socket, all, 0);
    });
    const { received } = await raw(
      port,
      `${request('POST /outer', `Content-Length: ${inner.length}\r\n`)}${inner}${request('GET /next', CLOSE)}`,
    );
    expect(received).not.toContain('smuggled');
    expect(received).toMatch(/ok[\s\S]*\/next$/);
  });
});

describe('B2: pipelining', () => {
  it('answers what stands before a malformed request, refuses it, and parses nothing behind', async () => {
    const { port, backend } = await bedOf(echo);
    const all = Array.from({ length: 10 }, (_, n) =>
      n === 4 ? 'GET /4 HTTP/1.1\r\nHost : web\r\n\r\n' : request(`GET /${n}`),
    );
    const { received } = await raw(port, all.join(''));
    expect(statuses(received)).toEqual([200, 200, 200, 200, 400]);
    const seen = backend.received.join('').match(/GET \/\d/g) ?? [];
    expect(seen.sort()).toEqual(['GET /0', 'GET /1', 'GET /2', 'GET /3']);
  });
});

describe('B3: Expect: 100-continue', () => {
  it('is answered by us, once, and not passed on', async () => {
    const { port, backend } = await bedOf((socket, all) => {
      if (all.endsWith('body')) socket.write(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    });
    const caller = client(port);
    caller.socket.write(request('PUT /e', `Content-Length: 4\r\nExpect: 100-continue\r\n${CLOSE}`));
    await until(() => caller.received.includes('100 Continue'), 'it may send the body');
    caller.socket.write('body');
    await until(() => caller.ended, 'it is answered');
    expect(statuses(caller.received)).toEqual([100, 200]);
    expect(backend.received.join('')).not.toMatch(/expect/i);
  });

  it('a final answer in place of the body’s end leaves neither connection to anybody else', async () => {
    const { port, backend } = await bedOf((socket) => socket.write('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n'));
    const caller = client(port);
    caller.socket.write(request('PUT /e', 'Content-Length: 4\r\nExpect: 100-continue\r\n'));
    await until(() => caller.ended, 'the sidecar ends');
    expect(statuses(caller.received).at(-1)).toBe(417);
    await until(() => backend.open.size === 0, 'and so does the connection to the back end');
  });
});

describe('B4: interim answers', () => {
  it('103 is passed on, 100 and what is repeated is not', async () => {
    const interim =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
    const { port } = await bedOf((socket) => socket.write(interim + OK));
    const { received } = await raw(port, request('GET /', CLOSE));
    expect(statuses(received)).toEqual([103, 200]);
    expect(received).toContain('link: </a>');
  });

  it.each([100, 102, 103])('a hundred times %i is no answer', async (status) => {
    const { port } = await bedOf((socket) => socket.write(`HTTP/1.1 ${status} x\r\n\r\n`.repeat(100) + OK));
    const { received } = await raw(port, request('GET /', CLOSE));
    expect(statuses(received).at(-1)).toBe(502);
    expect(statuses(received).length).toBeLessThan(12);
  });

  it('101 that nobody asked for is no answer', async () => {
    const { port } = await bedOf((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    );
    const { received } = await raw(port, request('GET /', CLOSE));
    expect(statuses(received)).toEqual([502]);
  });
});

describe('B5: an answer before the request is complete', () => {
  it('reaches the caller; neither connection is used again, and the caller’s is cut when it goes on for long', async () => {
    const clock = new FakeClock();
    const { port, backend, accepted } = await bedOf(
      (socket) => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n'),
      clock,
    );
    const caller = client(port);
    caller.socket.write(`${request('POST /up', 'Content-Length: 1000000\r\n')}${'x'.repeat(1_000)}`);
    await until(() => caller.ended, 'it has its answer');
    expect(statuses(caller.received)).toEqual([413]);
    expect(caller.received).toMatch(/connection: close/);
    await until(() => backend.open.size === 0, 'the connection to the back end is gone');
    caller.socket.write('x'.repeat(1_000));
    expect(accepted[0]?.destroyed).toBe(false);
    clock.advance(2_500);
    expect(accepted[0]?.destroyed).toBe(true);
  });
});

describe('B6: a caller that leaves', () => {
  /** Sends chunks for as long as somebody takes them. */
  const flood = (socket: Socket): void => {
    while (socket.write(`1000\r\n${'x'.repeat(4_096)}\r\n`));
    socket.once('drain', () => flood(socket));
  };
  it.each([
    ['in the head', 'GET / HTTP/1.1\r\nHo', () => {}],
    ['in the body', `${request('POST /', 'Content-Length: 10\r\n')}half`, () => {}],
    ['while it waits', request('GET /'), () => {}],
    [
      'in the answer',
      request('GET /'),
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        flood(socket);
      },
    ],
  ] as const)('%s takes the request to the back end with it', async (_, text, serve) => {
    const { port, backend, sidecar, accepted } = await bedOf((socket) => serve(socket));
    const caller = client(port);
    const forwarded = text.includes('\r\n\r\n');
    caller.socket.write(text);
    await until(() => (forwarded ? backend.received.join('') !== '' : accepted.length === 1), 'it has arrived');
    const left = performance.now();
    caller.socket.destroy();
    await until(() => backend.open.size === 0 && accepted.every(({ destroyed }) => destroyed), 'nothing is left');
    expect(sidecar.upstreamConnections).toBe(0);
    // A tenth of a second by the rules; the rest is what a busy machine takes.
    expect(performance.now() - left).toBeLessThan(1_000);
  });
});

describe('B7: a back end that breaks off', () => {
  it.each([
    ['before its answer', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\nConte'],
  ])('%s is a failure', async (_, part) => {
    const { port } = await bedOf((socket) => socket.end(part));
    const { received } = await raw(port, request('POST /', CLOSE));
    expect(received).toMatch(/^HTTP\/1\.1 50[23] /);
  });

  it.each([
    ['of a length', 'Content-Length: 100\r\n\r\npart'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ['in chunks, at the last one', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n'],
  ])('in an answer %s is a reset, never a clean end', async (_, part) => {
    const { port } = await bedOf((socket) => socket.end(`HTTP/1.1 200 OK\r\n${part}`));
    const { received, reset } = await raw(port, request('GET /', CLOSE));
    expect(received).toContain('part');
    expect(received).not.toMatch(/0\r\n\r\n$/);
    expect(reset).toBe(true);
  });
});

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const upgrade = request('GET /ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n');

describe('B8: half-closed connections', () => {
  it('a caller that ended its side still gets its answer', async () => {
    let answerNow = (): void => {};
    const { port } = await bedOf((socket) => {
      answerNow = () => void socket.write(OK);
    });
    const caller = client(port);
    caller.socket.end(request('GET /'));
    // Interim answers ask whether it is still there.
    await until(() => statuses(caller.received).length > 0, 'it is asked');
    answerNow();
    await until(() => caller.ended, 'it is answered');
    expect(statuses(caller.received).at(-1)).toBe(200);
  });

  it('in a tunnel either side may end first, and the other goes on', async () => {
    let back: Socket | undefined;
    const { port, backend } = await bedOf((socket, all) => {
      if (all.endsWith('\r\n\r\n')) socket.write(SWITCH);
      back = socket;
    });
    const first = client(port);
    first.socket.write(upgrade);
    await until(() => first.received.includes('101'), 'the tunnel is open');
    back?.removeAllListeners('end');
    first.socket.end('last words');
    await until(() => back?.readableEnded === true, 'the end arrives');
    back?.end('and an answer');
    await until(() => first.ended, 'so does the other');
    expect(first.received).toMatch(/and an answer$/);
    expect(backend.received[0]).toMatch(/last words$/);

    const second = client(port);
    second.socket.write(upgrade);
    await until(() => second.received.includes('101'), 'the second is open');
    back?.end();
    await until(() => second.ended, 'its back end has ended');
    second.socket.end('still heard');
    await until(() => backend.received[1]?.endsWith('still heard') === true, 'the caller goes on');
  });
});

describe('B9: back-pressure', () => {
  it('holds a bounded part of a large answer for a slow reader', async () => {
    const total = 256 * 1024 * 1024;
    const piece = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    const { port } = await bedOf((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      const more = (): void => {
        while (written < total) {
          written += piece.length;
          if (!socket.write(piece)) return void socket.once('drain', more);
        }
      };
      more();
    });
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let read = 0;
    let held = 0;
    socket.write(request('GET /big', CLOSE));
    socket.on('data', (data) => {
      read += data.length;
      held = Math.max(held, written - read);
      // Reads no more in this turn: whoever does not wait for it fills the memory.
      socket.pause();
      setImmediate(() => socket.resume());
    });
    await new Promise((resolve) => socket.once('end', resolve));
    expect(read).toBeGreaterThan(total);
    expect(held).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('B10: answers without content', () => {
  it.each([
    ['HEAD', '200 OK', 'Content-Length: 7', 'content-length: 7'],
    ['HEAD', '200 OK', 'Transfer-Encoding: chunked', null],
    ['GET', '204 No Content', 'Content-Length: 7', null],
    ['GET', '204 No Content', 'Transfer-Encoding: chunked', null],
    ['GET', '304 Not Modified', 'Content-Length: 7', 'content-length: 7'],
    ['GET', '304 Not Modified', 'Transfer-Encoding: chunked', null],
  ])('%s %s %s ends with its head', async (method, status, field, kept) => {
    const { port } = await bedOf((socket, all) =>
      socket.write(all.includes('/behind') ? OK : `HTTP/1.1 ${status}\r\n${field}\r\n\r\n`),
    );
    const { received } = await raw(port, request(`${method} /first`) + request('GET /behind', CLOSE));
    const [first, second] = received.split(/(?<=\r\n\r\n)/);
    expect(first).toBe(`HTTP/1.1 ${status}\r\n${kept === null ? '' : `${kept}\r\n`}\r\n`);
    expect(second).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('an interim answer has none, whatever it says', async () => {
    const { port } = await bedOf((socket) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\nContent-Length: ${OK.length}\r\n\r\n${OK}`),
    );
    const { received } = await raw(port, request('GET /', CLOSE));
    expect(received).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it('a length and chunks together are no answer', async () => {
    const { port } = await bedOf((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    );
    const { received } = await raw(port, request('GET /', CLOSE));
    expect(statuses(received)).toEqual([502]);
  });

  it('HTTP/1.0 until the end is passed in chunks, and its connection not used again', async () => {
    const { port, backend } = await bedOf((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'));
    const { received } = await raw(port, request('GET /') + request('GET /', CLOSE));
    expect(received.match(/d\r\nuntil the end\r\n0\r\n\r\n/g)).toHaveLength(2);
    expect(backend.received).toHaveLength(2);
  });
});

describe('B11: heads of answers', () => {
  const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n';
  it.each([
    ['NUL', `${fine}X: a\0b\r\n\r\n`],
    ['a bare CR', `${fine}X: a\rY: b\r\n\r\n`],
    ['a bare LF', `${fine}X: a\nY: b\r\n\r\n`],
    ['LF only', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a byte from 0x80 up', `${fine}X: \xe4\r\n\r\n`],
    ['a blank before the colon', `${fine}X : a\r\n\r\n`],
    ['a folded line', `${fine}X: a\r\n b\r\n\r\n`],
    ['two lengths', `${fine}Content-Length: 0\r\n\r\n`],
    ['a listed length', 'HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n'],
    ['100 KiB', `${fine}X: ${'x'.repeat(100 * 1024)}\r\n\r\n`],
    ['ten thousand fields', `${fine}${'X: 1\r\n'.repeat(10_000)}\r\n`],
    ['a hundred and one fields', `${fine}${'X: 1\r\n'.repeat(100)}\r\n`],
    ['another protocol', 'ICY 200 OK\r\n\r\n'],
    ['a byte before', `x${OK}`],
  ])('with %s are no answer', async (_, text) => {
    const { port } = await bedOf((socket) => socket.end(text, 'latin1'));
    const { received } = await raw(port, request('GET /', CLOSE));
    expect(statuses(received)).toEqual([502]);
  });
});

describe('B12: fields of the way', () => {
  it('Date, Via and Max-Forwards pass as they came, and a sidecar adds none', async () => {
    const { port, backend } = await bedOf((socket) => socket.write(answer('', 'Date: then\r\nVia: 1.1 app\r\n')));
    const { received } = await raw(port, request('GET /', `Via: 1.1 caller\r\nMax-Forwards: 3\r\n${CLOSE}`));
    expect(backend.received[0]).toMatch(/\r\nvia: 1\.1 caller\r\nmax-forwards: 3\r\n/);
    expect(received).toMatch(/\r\ndate: then\r\nvia: 1\.1 app\r\n/);
    expect(received.match(/^(date|via):/gm)).toHaveLength(2);
  });
});

describe('B13: websockets', () => {
  const opened = async (onData?: (socket: Socket, data: string) => void) => {
    const upgraded = new Set<Socket>();
    const made = await bedOf((socket, all) => {
      if (!upgraded.has(socket)) {
        upgraded.add(socket);
        socket.write(SWITCH);
      } else onData?.(socket, all);
    });
    return { ...made, upgraded };
  };

  it('pass a close frame with its code both ways', async () => {
    const close = '\x88\x02\x03\xe8';
    const { port } = await opened((socket, all) => {
      if (all.endsWith('\x88\x82\0\0\0\0\x03\xe8')) socket.end(close, 'latin1');
    });
    const caller = client(port);
    caller.socket.write(upgrade);
    await until(() => caller.received.includes('101'), 'the tunnel is open');
    caller.socket.write('\x88\x82\0\0\0\0\x03\xe8', 'latin1');
    await until(() => caller.ended, 'it is closed');
    expect(caller.received.endsWith(close)).toBe(true);
  });

  it('a hundred at once hear their own echo only', async () => {
    const { port } = await opened((socket, all) => void socket.write(all.slice(all.lastIndexOf('\r\n\r\n') + 4)));
    const callers = Array.from({ length: 100 }, () => client(port));
    for (const { socket } of callers) socket.write(upgrade);
    await until(() => callers.every(({ received }) => received.includes('101')), 'all are open');
    callers.forEach(({ socket }, n) => void socket.write(`<${n}>`));
    await until(() => callers.every(({ received }) => received.endsWith('>')), 'all hear something');
    expect(callers.map(({ received }) => received.split('\r\n\r\n')[1])).toEqual(callers.map((_, n) => `<${n}>`));
  });

  it.each(['caller', 'back end'])('end for both when the %s is killed', async (who) => {
    const { port, backend, upgraded, accepted } = await opened();
    const caller = client(port);
    caller.socket.write(upgrade);
    await until(() => caller.received.includes('101'), 'the tunnel is open');
    if (who === 'caller') caller.socket.resetAndDestroy();
    else for (const socket of upgraded) socket.resetAndDestroy();
    await until(() => backend.open.size === 0 && accepted[0]?.destroyed === true, 'both are closed');
  });
});

describe('B14: a back end that closes an idle connection as it is used', () => {
  /** Answers the first request of its first connection; the second finds it closed. */
  const race: OnData = (socket, all, n) => {
    if (n === 0 && all.includes('/again')) socket.destroy();
    else socket.write(OK);
  };

  it.each(['GET', 'HEAD', 'OPTIONS', 'DELETE'])('%s is sent once more, on a new connection', async (method) => {
    const { port, backend } = await bedOf(race);
    const received = await oneByOne(port, [request('GET /once'), request(`${method} /again`, CLOSE)]);
    expect(statuses(received)).toEqual([200, 200]);
    expect(backend.received.map((text) => text.match(/\/again/g)?.length ?? 0)).toEqual([1, 1]);
  });

  it.each([
    ['POST, which may have been executed', 'POST', '', ''],
    ['a body, which is not kept', 'PUT', 'Content-Length: 4\r\n', 'body'],
  ])('%s is not', async (_, method, fields, body) => {
    const { port, backend } = await bedOf(race);
    const again = request(`${method} /again`, fields + CLOSE) + body;
    const received = await oneByOne(port, [request('GET /once'), again]);
    expect(statuses(received)).toEqual([200, 503]);
    expect(backend.received).toHaveLength(1);
  });

  it('a reset is no race: an endpoint that closes an idle connection says so', async () => {
    const { port, backend } = await bedOf((socket, all) =>
      all.includes('/again') ? socket.resetAndDestroy() : socket.write(OK),
    );
    const received = await oneByOne(port, [request('GET /once'), request('GET /again', CLOSE)]);
    expect(statuses(received)).toEqual([200, 503]);
    expect(backend.received).toHaveLength(1);
  });

  it('and a new connection that closes is no race: nothing is sent again', async () => {
    const { port, backend } = await bedOf((socket) => socket.destroy());
    const { received } = await raw(port, request('GET /', CLOSE));
    expect(statuses(received)).toEqual([503]);
    expect(backend.received).toHaveLength(1);
  });
});
