import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { type Chance, chances } from '../support/chance.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { portOf } from '../support/raw.js';
import { until } from '../support/until.js';

/**
 * Two parsers that read the same bytes differently are what request smuggling lives on. Whatever a client sends, the app
 * (Node's own parser) must see exactly the requests that the sidecars believe to have forwarded, and nothing else.
 */
let mesh: TestMesh;
const seen: string[] = [];

beforeAll(async () => {
  const app = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('ok'));
  });
  mesh = await startMesh(appOf([workload('web')]), { web: app });
});
afterAll(() => mesh.close());

const FRAMING = [
  'Content-Length: 4',
  'Content-Length: 0',
  'Content-Length: 44',
  'Content-Length: +4',
  'Content-Length: 4, 4',
  'Content-Length: 0x4',
  'Content-Length: 4 ',
  'Content-Length:4',
  'Content-Length : 4',
  'Content-Length: 99999999999999999999',
  'Content_Length: 4',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: chunked ',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: chunked\r\n ',
  'Transfer-Encoding\r\n : chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'X: \0\r\nTransfer-Encoding: chunked',
  'Connection: close, Content-Length',
  'Connection: Transfer-Encoding',
  'Expect: 100-continue',
  'Upgrade: websocket\r\nConnection: upgrade',
  'Host: other',
];
const INNER = 'GET /inner HTTP/1.1\r\nHost: web\r\n\r\n';
const BODIES = [
  '',
  'body',
  INNER,
  `4\r\nbody\r\n0\r\n\r\n`,
  `4;a=b\r\nbody\r\n0\r\nX: y\r\n\r\n`,
  `0\r\n\r\n${INNER}`,
  `0\r\nContent-Length: 4\r\n\r\n${INNER}`,
  `0\n\n${INNER}`,
  `+4\r\nbody\r\n0\r\n\r\n${INNER}`,
  `0x4\r\nbody\r\n0\r\n\r\n`,
  `4 \r\nbody\r\n0\r\n\r\n${INNER}`,
  `4\nbody\n0\n\n${INNER}`,
  `4\r\nbodyX\r\n0\r\n\r\n`,
  `4;\nX\r\nbody\r\n0\r\n\r\n${INNER}`,
  `ffffffffffffffff4\r\nbody\r\n0\r\n\r\n${INNER}`,
  `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`,
];
const METHODS = ['POST', 'GET', 'HEAD', 'PUT', 'OPTIONS', 'DELETE'];
const TARGETS = ['/outer', '/outer?x=1', 'http://web/outer', '/a/../outer', '/%2e%2e/outer', '//outer'];

function message(chance: Chance): string {
  let fields = 'Host: web\r\n';
  for (let n = chance.below(4); n > 0; n--) fields += `${chance.of(FRAMING)}\r\n`;
  return `${chance.of(METHODS)} ${chance.of(TARGETS)} HTTP/1.1\r\n${fields}\r\n${chance.of(BODIES)}`;
}

/** Sends the bytes in pieces, says that no more will come, and waits until the other side has ended too. */
function converse(port: number, text: string, chance: Chance): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const cut = chance.below(text.length + 1);
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(text.slice(0, cut), 'latin1', () => socket.end(text.slice(cut), 'latin1'));
  });
}

describe('whatever a client sends', () => {
  it('every request that the app saw has its record, and what was answered by the app was asked of it', async () => {
    seen.length = 0;
    // As many as leave whole records: beyond a hundred per second only counts are complete.
    let left = 60;
    for (const { chance } of chances(60)) {
      if (left-- === 0) break;
      const text = message(chance).replaceAll('outer', 'again');
      await converse(portOf(mesh.gatewayUrl), text, chance);
    }
    const own = seen.filter((request) => request.includes('again'));
    const records = async () =>
      (await mesh.client.call('exchanges', { direction: 'inbound', limit: 5_000 })).filter(({ request }) =>
        request.path.includes('again'),
      );
    await until(async () => (await records()).length >= own.length, 'the records have come');
    const told = (await records()).map(({ request, details }) => ({
      line: `${request.method} ${request.path}`,
      details,
    }));
    const times = (lines: readonly string[], line: string) => lines.filter((other) => other === line).length;
    expect(own.length).toBeGreaterThan(5);
    for (const line of new Set([...own, ...told.map((record) => record.line)])) {
      const all = told.filter((record) => record.line === line);
      const answered = all.filter(({ details }) => details === 'via_upstream');
      expect(times(own, line), line).toBeLessThanOrEqual(all.length);
      expect(times(own, line), line).toBeGreaterThanOrEqual(answered.length);
    }
  });

  it('the app sees the requests that the sidecars forwarded, and no others', async () => {
    for (const { seed, chance } of chances(250)) {
      seen.length = 0;
      const text = `${message(chance)}${chance.below(2) === 0 ? INNER : ''}`;
      const received = await converse(portOf(mesh.gatewayUrl), text, chance);
      const told = `TEST_SEED=${seed}\n${JSON.stringify(text)}\n${JSON.stringify(received)}`;
      // One final answer per request, in order; what follows a malformed one is never read.
      const answers = [...received.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map((match) => Number(match[1]));
      expect(answers.length, told).toBeLessThanOrEqual(3);
      expect(answers.filter((status) => status < 400).length, told).toBeLessThanOrEqual(seen.length);
      expect(seen.length, told).toBeLessThanOrEqual(3);
      for (const request of seen) expect(request, told).toMatch(/^[A-Z]+ (\/\/?outer(\?x=1)?|\/inner)$/);
    }
  });
});
