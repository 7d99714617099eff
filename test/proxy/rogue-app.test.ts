import { Agent, request as httpRequest } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { type Chance, chances } from '../support/chance.js';
import { startMesh, type TestMesh } from '../support/mesh.js';

/**
 * An app that answers anything at all. Every caller must get an end (an answer or a broken connection), and nobody an
 * answer that was slipped in behind another one.
 */
let mesh: TestMesh;
let answer = '';
let stays = false;
const open = new Set<Socket>();

beforeAll(async () => {
  const app = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    socket.on('data', (data) => {
      if (!data.includes('\r\n\r\n')) return;
      socket.write(answer, 'latin1');
      if (!stays) socket.end();
    });
  });
  mesh = await startMesh(appOf([workload('web')]), { web: app as never });
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await mesh.close();
});

const SLIPPED = 'HTTP/1.1 299 Slipped\r\nContent-Length: 0\r\n\r\n';
const STATUS = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 204 No',
  'HTTP/1.1 304 No',
  'HTTP/1.1 503 No',
  'HTTP/1.1 101 Sw',
  'HTTP/1.1 100 Go',
  'HTTP/1.1 103 Hints',
];
const ODD_STATUS = [
  'HTTP/1.0 200 OK',
  'HTTP/2 200',
  'HTTP/1.1 99 X',
  'HTTP/1.1 1000 X',
  'ICY 200 OK',
  '',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 200',
];
const FIELDS = [
  'Content-Length: 4',
  'Content-Length: 0',
  'Content-Length: 4, 4',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding : chunked',
  'Connection: close',
  'Connection: keep-alive, upgrade\r\nUpgrade: websocket',
  'X: a\r\n folded',
  'X: \0',
  'Bad Name: x',
  ': x',
  `X: ${'x'.repeat(70_000)}`,
  'Trailer: x',
];
const BODIES = [
  '',
  'body',
  '4\r\nbody\r\n0\r\n\r\n',
  '4\r\nbody\r\n0\r\nX: y\r\n\r\n',
  '4\r\nbo',
  'zz\r\n',
  '0\r\n\r\n',
];

function anyAnswer(chance: Chance): string {
  let text = `${chance.of(chance.below(3) === 0 ? ODD_STATUS : STATUS)}\r\n`;
  for (let n = chance.below(4); n > 0; n--) text += `${chance.of(FIELDS)}\r\n`;
  text += `\r\n${chance.of(BODIES)}`;
  // Behind an interim answer it would be the answer itself.
  return chance.below(2) === 0 && !/^HTTP\/1\.1 10[03]/.test(text) ? text + SLIPPED : text;
}

interface Heard {
  readonly status: number;
  readonly error: string;
}

function ask(agent: Agent, method: string): Promise<Heard> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(10_000);
    const request = httpRequest(mesh.gatewayUrl, { agent, method, path: '/x', signal }, (response) => {
      const end = (error: string) => resolve({ status: response.statusCode ?? 0, error });
      response.on('error', (error) => end(error.message));
      response.on('end', () => end(''));
      response.resume();
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, error: 'upgrade' });
    });
    request.on('error', (error) => resolve({ status: 0, error: error.message }));
    request.end();
  });
}

describe('whatever an app answers', () => {
  it('ends for the caller, and slips nobody another answer', async () => {
    for (const { seed, chance } of chances(150)) {
      answer = anyAnswer(chance);
      const told = `TEST_SEED=${seed}\n${JSON.stringify(answer.slice(0, 300))}`;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const heard = [];
      for (const method of ['GET', chance.of(['GET', 'HEAD', 'POST'])]) {
        const one = await ask(agent, method);
        expect(one.error, `no end: ${told}`).not.toContain('aborted due to timeout');
        heard.push(one.status);
      }
      agent.destroy();
      expect(heard, told).not.toContain(299);
      expect(heard, told).not.toContain(101);
    }
  });

  it('costs the next caller nothing, even where the app keeps the connection open', async () => {
    for (const { seed, chance } of chances(60)) {
      stays = true;
      answer = `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody${chance.of(['', SLIPPED, 'x', '\r\n', '\0'])}`;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let n = 0; n < 3; n++)
        expect(await ask(agent, 'GET'), `TEST_SEED=${seed} ${answer}`).toEqual({ status: 200, error: '' });
      agent.destroy();
    }
    stays = false;
  });
});
