import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './mesh.js';
import { until } from './until.js';

/** A server that somebody else wrote, and what it took for requests. */
export interface BackEnd {
  readonly name: string;
  readonly port: number;
  /** Request lines that it read so far (`METHOD TARGET`), in order; '' for what it took for a broken one. */
  seen(): string[];
  close(): Promise<void>;
}

export const BACK_ENDS = ['node:http', 'nginx', 'haproxy', 'apache2'] as const;
export type BackEndName = (typeof BACK_ENDS)[number];

const PROGRAMS: Readonly<Record<BackEndName, string | null>> = {
  'node:http': null,
  nginx: 'nginx',
  haproxy: 'haproxy',
  apache2: 'apache2',
};

/** Whether this machine has it. */
export function isInstalled(name: BackEndName): boolean {
  const program = PROGRAMS[name];
  return program === null || programPath(program) !== null;
}

function programPath(program: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}

export async function startBackEnd(name: BackEndName): Promise<BackEnd> {
  if (name === 'node:http') return startNode();
  const folder = mkdtempSync(join(tmpdir(), 'mesh-backend-'));
  const port = await freePort();
  const log = join(folder, 'log');
  writeFileSync(log, '');
  const child = start(name, folder, port, log);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${output}`);
      return fetch(`http://127.0.0.1:${port}/ready`).then(
        () => true,
        () => false,
      );
    }, `${name} answers`);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const text = (): string => (name === 'haproxy' ? output : readFileSync(log, 'latin1'));
  return {
    name,
    port,
    seen: () =>
      requestLines(text())
        .filter((line) => !line.endsWith(' /ready'))
        // HAProxy has no word for the target of `OPTIONS *`.
        .map((line) => (line === 'OPTIONS -' ? 'OPTIONS *' : line)),
    async close() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Each logs the request line in `<< >>`, whatever it thinks of it. */
function requestLines(log: string): string[] {
  // A connection on which nothing came, or that its client broke off, is no request (HAProxy: C… before the request is whole).
  const lines = log.replaceAll(/<<- ->>C\S*/g, '');
  return [...lines.matchAll(/<<(.*?)>>/g)].map((match) => (match[1] as string).split(' ').slice(0, 2).join(' '));
}

function start(name: BackEndName, folder: string, port: number, log: string): ChildProcess {
  const file = join(folder, 'conf');
  const run = (...args: string[]): ChildProcess =>
    spawn(programPath(PROGRAMS[name] as string) as string, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  if (name === 'nginx') {
    for (const temporary of ['t1', 't2', 't3', 't4', 't5']) mkdirSync(join(folder, temporary));
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${folder}/pid; error_log /dev/null; events {} http { log_format lines '<<$request>>'; access_log ${log} lines; client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5; keepalive_timeout 600; keepalive_requests 100000; server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } } }`,
    );
    return run('-p', folder, '-c', file);
  }
  if (name === 'haproxy') {
    writeFileSync(
      file,
      `global\n  log stdout format raw local0\n  nbthread 1\ndefaults\n  mode http\n  log global\n  log-format "<<%{+E}[capture.req.method] %[capture.req.uri]>>%ts"\n  timeout client 600s\n  timeout http-keep-alive 600s\n  timeout http-request 600s\n  timeout server 600s\n  timeout connect 1s\nfrontend f\n  bind 127.0.0.1:${port}\n  http-request return status 200 content-type text/plain string ok\n`,
    );
    return run('-db', '-f', file);
  }
  const modules = '/usr/lib/apache2/modules';
  const module = (id: string): string =>
    existsSync(`${modules}/mod_${id}.so`) ? `LoadModule ${id}_module ${modules}/mod_${id}.so\n` : '';
  writeFileSync(
    file,
    `ServerName web\nListen 127.0.0.1:${port}\nPidFile ${folder}/pid\nDefaultRuntimeDir ${folder}\nErrorLog ${folder}/error\n${['mpm_event', 'authz_core', 'alias', 'rewrite'].map(module).join('')}DocumentRoot ${folder}/www\nKeepAlive On\nKeepAliveTimeout 600\nMaxKeepAliveRequests 0\nLogFormat "<<%r>>" lines\nCustomLog ${log} lines\nRewriteEngine On\nRewriteRule . - [R=404]\n${'User www-data\nGroup www-data\n'}`,
  );
  mkdirSync(join(folder, 'www'));
  execFileSync('chmod', ['-R', 'a+rwX', folder]);
  return run('-X', '-f', file);
}

async function startNode(): Promise<BackEnd> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('ok'));
    request.on('error', () => {});
  });
  server.keepAliveTimeout = 600_000;
  // What it takes for a broken request is one that it saw.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A connection that breaks off is none.
    if (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE') seen.push('');
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    name: 'node:http',
    port: (server.address() as AddressInfo).port,
    seen: () => [...seen],
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
