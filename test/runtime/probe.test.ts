import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ask } from '../../src/runtime/probe/ask.js';
import type { ProbeRequest } from '../../src/runtime/runtime.js';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const probe = (url: string, given: Partial<ProbeRequest> = {}): ProbeRequest => ({
  method: 'GET',
  url,
  headers: [],
  body: null,
  timeoutMs: 5_000,
  ...given,
});

describe('the probe', () => {
  it('sends exactly the headers that it was given, and Host', async () => {
    const url = await serve((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    const { body } = await ask(
      probe(url, {
        headers: [
          ['X-A', '1'],
          ['X-A', '2'],
        ],
      }),
    );
    expect(JSON.parse(body)).toEqual(['host', new URL(url).host, 'X-A', '1', 'X-A', '2', 'Connection', 'close']);
    const named = await ask(probe(url, { headers: [['Host', 'ratings:9080']] }));
    expect(JSON.parse(named.body).slice(0, 2)).toEqual(['Host', 'ratings:9080']);
  });

  it('reports status, headers, body and time, and follows no redirect', async () => {
    const url = await serve((_request, response) => response.writeHead(302, { location: '/else' }).end('moved'));
    const result = await ask(probe(url));
    expect(result).toMatchObject({ status: 302, body: 'moved', truncated: false, error: null });
    expect(result.headers).toContainEqual(['location', '/else']);
    expect(result.durationMs).toBeGreaterThan(0);
  });

  it('sends a body', async () => {
    const url = await serve((request, response) => request.pipe(response));
    const headers = [['content-length', '5']] as [string, string][];
    expect((await ask(probe(url, { method: 'POST', body: 'hello', headers }))).body).toBe('hello');
  });

  it('shows 64 KiB of a long body', async () => {
    const url = await serve((_request, response) => response.end('x'.repeat(200_000)));
    const { body, truncated } = await ask(probe(url));
    expect([body.length, truncated]).toEqual([65_536, true]);
  });

  it('gives up after its time, also in the middle of an answer', async () => {
    const url = await serve((_request, response) => void response.write('begun'));
    expect(await ask(probe(url, { timeoutMs: 50 }))).toMatchObject({ status: 0, error: 'no answer within 50 ms' });
  });

  it('says what went wrong', async () => {
    const broken = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345');
      setImmediate(() => response.socket?.destroy());
    });
    expect(await ask(probe(broken))).toMatchObject({ status: 200, body: '12345', error: 'the answer broke off' });
    expect((await ask(probe('http://127.0.0.1:1/'))).error).toContain('ECONNREFUSED');
    expect((await ask(probe('nonsense'))).error).toContain('Invalid URL');
    expect((await ask(probe(broken, { headers: [['bad name', 'x']] }))).error).toContain('Header name');
  });
});
