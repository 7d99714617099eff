import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { SidecarLimits } from '../../src/model/limits.js';
import {
  forward,
  host,
  type OneSidecar,
  type OneSidecarOptions,
  on,
  oneSidecar,
  rule,
  to,
} from '../support/one-sidecar.js';
import { raw } from '../support/raw.js';
import { until } from '../support/until.js';

/** Each limit of a sidecar, set small: what is just allowed passes, what is one more does not. */
let one: OneSidecar;
afterEach(() => one.close());

/** Answers are given when `answers` says so; 'later' holds them back. */
const held: (() => void)[] = [];

async function sidecar(limits: Partial<SidecarLimits>, more: OneSidecarOptions = {}): Promise<void> {
  one = await oneSidecar(
    {
      app: (request, response) => {
        if (request.url === '/later') held.push(() => response.end('late'));
        else if (request.url === '/begun') response.write('begun');
        else if (request.url === '/fields') response.writeHead(200, { 'x-long': 'x'.repeat(2_000) }).end('ok');
        else request.on('data', () => {}).on('end', () => response.end('ok'));
      },
    },
    { ...more, limits },
  );
  one.apply([host([rule('all', on('/'), forward([to('app')]))])]);
  one.records();
}

const head = (more = '', line = 'GET / HTTP/1.1') =>
  `${line}\r\nhost: reviews:9080\r\nconnection: close\r\n${more}\r\n`;
const statusOf = (received: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 0);
const ask = async (bytes: string): Promise<number> => statusOf((await raw(one.port, bytes)).received);

describe('the size of a head', () => {
  it('headBytes: one byte more is 431, on requests; on answers 502', async () => {
    const fixed = head('x: \r\n').length;
    await sidecar({ headBytes: 1_000 });
    expect(await ask(head(`x: ${'y'.repeat(1_000 - fixed)}\r\n`))).toBe(200);
    expect(await ask(head(`x: ${'y'.repeat(1_005 - fixed)}\r\n`))).toBe(431);
    expect(await ask(head('', 'GET /fields HTTP/1.1'))).toBe(502);
  });

  it('headFields: one field more is 431', async () => {
    await sidecar({ headFields: 10 });
    const fields = (n: number) => Array.from({ length: n }, (_, i) => `x-${i}: y\r\n`).join('');
    expect(await ask(head(fields(8)))).toBe(200);
    expect(await ask(head(fields(9)))).toBe(431);
  });

  it('requestLineBytes: one byte more is 414', async () => {
    await sidecar({ requestLineBytes: 100 });
    const line = (bytes: number) => `GET /${'p'.repeat(bytes - 'GET /'.length)} HTTP/1.1`;
    expect(await ask(head('', line(100)))).toBe(200);
    expect(await ask(head('', line(101)))).toBe(414);
  });

  it('chunkExtensionBytes: more of them are no request', async () => {
    await sidecar({ chunkExtensionBytes: 10 });
    const body = (extension: string) => `1;${extension}\r\nx\r\n0\r\n\r\n`;
    const post = (extension: string) => head('transfer-encoding: chunked\r\n', 'POST / HTTP/1.1') + body(extension);
    expect(await ask(post('a=12345678'))).toBe(200);
    expect(await ask(post('a=1234567890'))).toBe(400);
  });
});

describe('time', () => {
  it('headMs: half a head is answered 408', async () => {
    await sidecar({ headMs: 60 });
    expect(await ask('GET / HTTP/1.1\r\nhost: reviews')).toBe(408);
    expect(one.records()[0]).toMatchObject({ failure: 'request_head_timeout', flags: ['SI'] });
  });

  it('requestMs: a body of announced length that does not come is answered 408', async () => {
    await sidecar({ requestMs: 60 });
    expect(await ask(`${head('content-length: 10\r\n', 'POST / HTTP/1.1')}12345`)).toBe(408);
    expect(one.records()[0]).toMatchObject({ failure: 'request_body_timeout', flags: ['SI'] });
  });

  it('requestMs: a body that keeps coming has no more time than one that does not', async () => {
    await sidecar({ requestMs: 120 });
    const socket = connect(one.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.on('error', () => {});
    socket.write(head('content-length: 1000000\r\n', 'POST / HTTP/1.1'));
    const drip = setInterval(() => socket.write('x'), 10);
    await until(async () => statusOf(received) === 408, 'the answer 408');
    clearInterval(drip);
    socket.destroy();
  });

  it('requestMs: chunked bodies are streams, and have none', async () => {
    await sidecar({ requestMs: 40, streamIdleMs: 400 });
    const socket = connect(one.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.write(head('transfer-encoding: chunked\r\n', 'POST / HTTP/1.1'));
    const began = performance.now();
    await until(async () => {
      socket.write('1\r\nx\r\n');
      return performance.now() - began > 120;
    }, 'three times as long as a body of announced length may take');
    socket.write('0\r\n\r\n');
    await until(async () => statusOf(received) === 200, 'the answer 200');
  });

  it('streamIdleMs: an answer that does not come is 504', async () => {
    await sidecar({ streamIdleMs: 60 });
    expect(await ask(head('', 'GET /later HTTP/1.1'))).toBe(504);
    expect(one.records()[0]).toMatchObject({ failure: 'stream_idle_timeout', flags: ['SI'] });
  });

  it('streamIdleMs: an answer that stops in the middle is reset', async () => {
    await sidecar({ streamIdleMs: 60 });
    const { received, reset } = await raw(one.port, head('', 'GET /begun HTTP/1.1'));
    expect(received).toContain('begun');
    expect(reset).toBe(true);
    await until(async () => {
      const [record] = one.records();
      return record?.failure === 'stream_idle_timeout' && record.response.status === 200;
    }, 'its record');
  });

  it('streamIdleMs: a chunked body that stops in the middle is answered 408', async () => {
    await sidecar({ streamIdleMs: 60 });
    expect(await ask(`${head('transfer-encoding: chunked\r\n', 'POST / HTTP/1.1')}1\r\nx\r\n`)).toBe(408);
  });

  it('idleMs: an unused connection is closed', async () => {
    await sidecar({ idleMs: 60 });
    const { received } = await raw(one.port, 'GET / HTTP/1.1\r\nhost: reviews:9080\r\n\r\n');
    expect(statusOf(received)).toBe(200);
  });

  it('sidecarIdleMs: an unused connection to an endpoint is closed', async () => {
    await sidecar({ sidecarIdleMs: 60 });
    await ask(head());
    expect(one.sidecar.upstreamConnections).toBe(1);
    await until(async () => one.sidecar.upstreamConnections === 0, 'the connection is closed');
  });
});

describe('number', () => {
  it('connections: one more is reset and counted', async () => {
    await sidecar({ connections: 2 });
    const open = [connect(one.port, '127.0.0.1'), connect(one.port, '127.0.0.1')];
    await until(async () => one.sockets.size === 2, 'two are open');
    expect(await raw(one.port, head())).toEqual({ received: '', reset: true });
    expect(one.sockets.refused).toBe(1);
    for (const socket of open) socket.destroy();
    await until(async () => one.sockets.size === 0, 'they are gone');
    expect(await ask(head())).toBe(200);
  });

  it('pipelineBytes: what waits behind a request is not read without end', async () => {
    await sidecar({ pipelineBytes: 1_000 });
    const socket = connect(one.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /later HTTP/1.1\r\nhost: reviews:9080\r\n\r\n');
    const more = 'GET / HTTP/1.1\r\nhost: reviews:9080\r\n\r\n'.repeat(100_000);
    let sent = false;
    socket.write(more, () => {
      sent = true;
    });
    await until(async () => held.length > 0, 'the first is under way');
    // Some fits into the kernel's buffers; all of it would be here at once if it were read.
    expect(sent).toBe(false);
    for (const release of held.splice(0)) release();
    socket.destroy();
  });

  it('replayBytes: a longer body is not sent again', async () => {
    let tries = 0;
    one = await oneSidecar(
      {
        app: (request, response) =>
          request.on('data', () => {}).on('end', () => response.writeHead(++tries > 1 ? 200 : 503).end()),
      },
      { limits: { replayBytes: 10 } },
    );
    const retry = {
      attempts: 1,
      retryOn: ['5xx'] as const,
      retriableStatusCodes: [],
      retriableHeaders: [],
      perTryTimeoutMs: null,
      backoffBaseMs: 1,
      backoffMaxMs: 1,
      retryAfterMaxMs: null,
      avoidTriedHosts: true,
      nonIdempotent: 'always' as const,
      origin: 'the test',
    };
    one.apply([host([rule('all', on('/'), forward([to('app')], { retry }))])]);
    const post = (bytes: number) => `${head(`content-length: ${bytes}\r\n`, 'POST / HTTP/1.1')}${'x'.repeat(bytes)}`;
    expect(await ask(post(10))).toBe(200);
    tries = 0;
    expect(await ask(post(11))).toBe(503);
    expect(one.records().at(-1)?.attempts[0]?.next).toContain('not retried: the body is larger than');
  });
});

describe('memory', () => {
  it('asks callers to close at the first step, turns requests away at the second, and recovers', async () => {
    let used = 50;
    await sidecar({}, { memory: () => ({ usedBytes: used, limitBytes: 100 }) });
    const { memory } = one.sidecar;
    const alive = 'GET / HTTP/1.1\r\nhost: reviews:9080\r\n\r\n';
    const enough = (text: string) => text.endsWith('ok') || text.includes('overloaded');
    const look = (percent: number, times = 2): void => {
      used = percent;
      for (let i = 0; i < times; i++) memory.look();
    };
    look(91);
    expect((await raw(one.port, alive, enough)).received).not.toContain('connection: close');
    look(93, 1);
    expect((await raw(one.port, alive, enough)).received).not.toContain('connection: close');
    look(93);
    expect((await raw(one.port, alive)).received).toContain('connection: close');
    look(96);
    const { received } = await raw(one.port, alive);
    expect(statusOf(received)).toBe(503);
    expect(one.records().at(-1)).toMatchObject({ failure: 'overloaded', flags: ['OM'] });
    look(10);
    expect(await ask(head())).toBe(200);
  });
});
