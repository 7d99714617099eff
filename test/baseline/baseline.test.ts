import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/mesh.js';

const folder = mkdtempSync(join(tmpdir(), 'baseline-'));
const program = join(folder, 'baseline.cjs');
const started: ChildProcess[] = [];
const servers: Server[] = [];

beforeAll(() =>
  build({
    entryPoints: ['src/baseline/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
  }),
);
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  /** The first line that it printed. */
  readonly ready: Record<string, unknown>;
  readonly stderr: () => string;
}

async function start(target: string, given: { lifeline?: boolean; port?: number } = {}): Promise<Running> {
  const { lifeline = false, port = await freePort() } = given;
  const child = spawn(process.execPath, [program]);
  started.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const bootstrap = { program: 'baseline', lifeline, listen: { host: '127.0.0.1', port }, target };
  child.stdin.write(`${JSON.stringify(bootstrap)}\n`);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    ready: JSON.parse(line) as Record<string, unknown>,
    stderr: () => stderr,
  };
}

async function upstream(handle: (server: Server) => void): Promise<string> {
  const server = createServer();
  handle(server);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

describe('the baseline proxy', () => {
  it('passes requests on, over connections that it keeps, and says nothing but that it listens', async () => {
    const seen: IncomingMessage[] = [];
    const target = await upstream((server) =>
      server.on('request', (incoming: IncomingMessage, response) => {
        seen.push(incoming);
        response.writeHead(201, { 'x-from': 'upstream' });
        incoming.pipe(response);
      }),
    );
    const { url, ready, stderr } = await start(target);
    expect(ready).toMatchObject({ level: 'info', component: 'baseline', msg: 'listening', target });
    for (let n = 0; n < 3; n++) {
      const response = await fetch(`${url}/path?q=${n}`, { method: 'POST', body: 'hello' });
      expect([response.status, response.headers.get('x-from'), await response.text()]).toEqual([
        201,
        'upstream',
        'hello',
      ]);
    }
    expect(seen.map((incoming) => incoming.url)).toEqual(['/path?q=0', '/path?q=1', '/path?q=2']);
    expect(seen[0]?.headers.host).toBe(new URL(url).host);
    expect(new Set(seen.map(({ socket }) => socket)).size).toBe(1);
    expect(stderr()).toBe('');
  });

  it('answers 502 when the service does not, and lives on', async () => {
    const { url } = await start(`http://127.0.0.1:${await freePort()}`);
    for (let n = 0; n < 2; n++) {
      const response = await fetch(url);
      expect([response.status, await response.text()]).toEqual([502, 'Bad Gateway']);
    }
  });

  it('cuts off an answer that broke on its way', async () => {
    const target = await upstream((server) =>
      server.on('request', (incoming: IncomingMessage, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => setTimeout(() => incoming.socket.destroy(), 50));
      }),
    );
    const { url } = await start(target);
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow('terminated');
    // It lives on.
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow('terminated');
  });

  it('passes upgrades on; 502 when nobody answers them', async () => {
    const target = await upstream((server) =>
      server.on('upgrade', (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
        socket.pipe(socket);
      }),
    );
    expect(await upgrade((await start(target)).url)).toBe('echoed');
    expect(await upgrade((await start(`http://127.0.0.1:${await freePort()}`)).url)).toBe('502');
  });

  it('ends at SIGTERM, and with its standard input only when that is its lifeline', async () => {
    const [plain, tied] = [await start('http://127.0.0.1:1'), await start('http://127.0.0.1:1', { lifeline: true })];
    plain.child.stdin?.end();
    tied.child.stdin?.end();
    expect(await exitOf(tied.child)).toBe(0);
    expect((await fetch(plain.url)).status).toBe(502);
    plain.child.kill('SIGTERM');
    expect(await exitOf(plain.child)).toBe(0);
  });

  it('says why it cannot start', async () => {
    const port = Number(new URL(await upstream(() => {})).port);
    const { child, ready } = await start('http://127.0.0.1:1', { port });
    expect(ready).toMatchObject({ level: 'error', msg: 'cannot start', error: expect.stringContaining('EADDRINUSE') });
    expect(await exitOf(child)).toBe(1);
  });
});

/** `echoed` when the other side sends back what it got after the upgrade; else the status. */
function upgrade(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers: { connection: 'upgrade', upgrade: 'websocket' } });
    outgoing.on('response', (response) => resolve(String(response.statusCode)));
    outgoing.on('upgrade', (_response, socket) => {
      socket.on('data', (chunk: Buffer) => {
        resolve(chunk.toString());
        socket.destroy();
      });
      socket.write('echoed');
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
