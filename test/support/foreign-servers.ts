import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './mesh.js';
import { until } from './until.js';

/** Somebody else's server, which answers everything and logs what it saw. */
export interface ForeignServer {
  readonly port: number;
  /** Ends it, and tells a line for each request that it saw: `GET /path`; what it could not read is told as `?`. */
  stop(): Promise<string[]>;
}

/** By name; null = not installed here. */
export const FOREIGN: Readonly<Record<string, (() => Promise<ForeignServer>) | null>> = {
  'node:http': nodeServer,
  nginx: installed('nginx', ['-v']) ? nginx : null,
  HAProxy: installed('haproxy', ['-v']) ? haproxy : null,
  Apache: installed('apache2', ['-v']) ? apache : null,
};

function installed(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0;
}

async function nodeServer(): Promise<ForeignServer> {
  const seen: string[] = [];
  const server = createServer({ maxHeaderSize: 128 * 1024, insecureHTTPParser: false }, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.on('error', () => {});
    request.resume().on('end', () => response.end('ok'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A request that breaks off is no message that cannot be read.
    if (!/^(ECONNRESET|HPE_INVALID_EOF_STATE)$/.test(error.code ?? '')) seen.push('?');
    socket.destroy();
  });
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async stop() {
      server.close();
      server.closeAllConnections();
      return seen;
    },
  };
}

async function nginx(): Promise<ForeignServer> {
  return program('nginx', (port, directory) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${directory}/${name};`,
    );
    const config = `
daemon off;
master_process off;
pid ${directory}/pid;
error_log ${directory}/error.log crit;
events { worker_connections 512; }
http {
  ${temporary.join('\n  ')}
  log_format lines '$request';
  access_log ${directory}/access.log lines;
  client_header_buffer_size 64k;
  large_client_header_buffers 8 64k;
  keepalive_requests 1000000;
  server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } }
}
`;
    return { config, args: ['-p', directory, '-e', join(directory, 'error.log'), '-c'], signal: 'SIGQUIT' };
  });
}

async function apache(): Promise<ForeignServer> {
  return program('apache2', (port, directory) => {
    const modules = '/usr/lib/apache2/modules';
    const config = `
ServerRoot ${directory}
ServerName web
Listen 127.0.0.1:${port}
PidFile ${directory}/pid
Mutex file:${directory}
LoadModule mpm_event_module ${modules}/mod_mpm_event.so
LoadModule authz_core_module ${modules}/mod_authz_core.so
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 30
LimitRequestLine 32768
LimitRequestFieldSize 65535
LimitRequestFields 300
DocumentRoot ${directory}/www
ErrorLog ${directory}/error.log
LogLevel crit
CustomLog ${directory}/access.log "%r"
`;
    return { config, args: ['-DFOREGROUND', '-f'], signal: 'SIGTERM' };
  });
}

async function haproxy(): Promise<ForeignServer> {
  return program('haproxy', (port) => {
    const config = `
global
  nbthread 1
  log stdout len 65535 format raw local0
  tune.bufsize 131072
  tune.http.maxhdr 300
  tune.http.logurilen 65535
defaults
  mode http
  log global
  log-format %r
  option http-buffer-request
  option dontlognull
  timeout client 30s
  timeout http-request 30s
  timeout http-keep-alive 30s
frontend all
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain string ok
`;
    return { config, args: ['-db', '-f'], signal: 'SIGTERM' };
  });
}

interface Program {
  readonly config: string;
  /** The configuration file comes behind them. */
  readonly args: readonly string[];
  /** Ends it when it has written its log. */
  readonly signal: NodeJS.Signals;
}

async function program(command: string, of: (port: number, directory: string) => Program): Promise<ForeignServer> {
  const directory = mkdtempSync(join(tmpdir(), `mesh-test-${command}-`));
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'www'));
  const port = await freePort();
  const { config, args, signal } = of(port, directory);
  writeFileSync(join(directory, 'config'), config);
  const child = spawn(command, [...args, join(directory, 'config')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    complaint += text;
  });
  const over = new Promise((resolve) => child.once('close', resolve));
  await until(() => answers(port, child, () => complaint), `${command} listens`);
  return {
    port,
    async stop() {
      child.kill(signal);
      await over;
      const file = join(directory, 'access.log');
      const log = existsSync(file) ? readFileSync(file, 'latin1') : output;
      rmSync(directory, { recursive: true, force: true });
      return log
        .split('\n')
        .filter((line) => line !== '')
        .map(requestIn);
    },
  };
}

function answers(port: number, child: ChildProcess, complaint: () => string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${complaint()}`);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** `GET /path` of a line of a log; HAProxy writes odd characters as `#7C`. */
function requestIn(line: string): string {
  const match = /^([A-Z]+ \S+) HTTP\/1\.1$/.exec(line);
  if (match === null) return '?';
  return (match[1] as string).replace(/#([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
