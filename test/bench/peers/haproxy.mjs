// HAProxy from the Debian package, one thread.
import { execFileSync } from 'node:child_process';
import { DNS_NAME } from '../certificates.mjs';
import { installed } from '../stage.mjs';

export const NAME = 'haproxy';

export function find() {
  const command = installed('haproxy') ?? installed('/usr/sbin/haproxy');
  if (command === null) return null;
  return { command, version: /version (\S+?)-/.exec(execFileSync(command, ['-v'], { encoding: 'utf8' }))?.[1] ?? '' };
}

export async function plain(stage, { command }, { origin }) {
  const port = await stage.port();
  const child = await start(stage, command, 'haproxy', port, '', `127.0.0.1:${origin}`);
  return { port, pids: [child.pid] };
}

export async function pair(stage, { command }, { origin, certificates: { files } }) {
  const [client, server] = [await stage.port(), await stage.port()];
  const callee = await start(
    stage,
    command,
    'haproxy-server',
    server,
    `ssl crt ${files.both} ca-file ${files.ca} verify required`,
    `127.0.0.1:${origin}`,
  );
  const caller = await start(
    stage,
    command,
    'haproxy-client',
    client,
    '',
    `127.0.0.1:${server} ssl crt ${files.both} ca-file ${files.ca} verify required verifyhost ${DNS_NAME} sni str(${DNS_NAME})`,
  );
  return { port: client, pids: [caller.pid, callee.pid] };
}

function start(stage, command, name, port, bind, server) {
  const tls = (side) =>
    `  ssl-default-${side}-ciphersuites TLS_AES_128_GCM_SHA256\n  ssl-default-${side}-options ssl-min-ver TLSv1.3`;
  const config = stage.file(
    `${name}.cfg`,
    `global
  nbthread 1
  maxconn 8192
${tls('bind')}
${tls('server')}
defaults
  mode http
  timeout client 1h
  timeout server 1h
  timeout connect 5s
  option http-keep-alive
  http-reuse always
frontend f
  bind 127.0.0.1:${port} ${bind}
  default_backend b
backend b
  server s ${server}
`,
  );
  return stage.start({ name, command, args: ['-db', '-f', config], ready: port });
}
