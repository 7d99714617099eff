// nginx from the Debian package, one process; also the origin of every measurement.
import { execFileSync } from 'node:child_process';
import { DNS_NAME } from '../certificates.mjs';
import { CORES, installed } from '../stage.mjs';

export const NAME = 'nginx';

export function find() {
  const command = installed('nginx') ?? installed('/usr/sbin/nginx');
  if (command === null) return null;
  const version = execFileSync('sh', ['-c', '"$1" -v 2>&1', 'sh', command], { encoding: 'utf8' });
  return { command, version: /nginx\/([\d.]+)/.exec(version)?.[1] ?? '' };
}

/** Answers 1 KB everywhere, 1 MiB at /1m and 1 GiB at /1g. */
export async function startOrigin(stage, { command }) {
  const port = await stage.port();
  stage.file('1m', 'x'.repeat(2 ** 20), 0o644);
  stage.sparse('1g', 2 ** 30);
  const server = `server { listen 127.0.0.1:${port}; keepalive_requests 1000000000; keepalive_timeout 1h; root ${stage.folder};
    location / { return 200 "${'x'.repeat(1024)}"; } location = /1m { sendfile on; } location = /1g { sendfile on; } }`;
  await start(stage, command, 'origin', port, server, CORES.others);
  return port;
}

export async function plain(stage, { command }, { origin }) {
  const port = await stage.port();
  const child = await start(
    stage,
    command,
    'nginx',
    port,
    `${upstream(origin)}
    server { listen 127.0.0.1:${port}; keepalive_requests 1000000000; location / { proxy_pass http://o; ${KEEP_ALIVE} } }`,
  );
  return { port, pids: [child.pid] };
}

export async function pair(stage, { command }, { origin, certificates: { files } }) {
  const [client, server] = [await stage.port(), await stage.port()];
  const tls13 = (prefix) =>
    `${prefix}_protocols TLSv1.3; ${prefix}_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ${prefix}_conf_command Groups X25519;`;
  const callee = await start(
    stage,
    command,
    'nginx-server',
    server,
    `${upstream(origin)}
    server { listen 127.0.0.1:${server} ssl; keepalive_requests 1000000000; keepalive_timeout 1h; ${tls13('ssl')}
      ssl_certificate ${files.certificate}; ssl_certificate_key ${files.key};
      ssl_client_certificate ${files.ca}; ssl_verify_client on;
      location / { proxy_pass http://o; ${KEEP_ALIVE} } }`,
  );
  const caller = await start(
    stage,
    command,
    'nginx-client',
    client,
    `${upstream(server)}
    server { listen 127.0.0.1:${client}; keepalive_requests 1000000000;
      location / { proxy_pass https://o; ${KEEP_ALIVE} ${tls13('proxy_ssl')}
        proxy_ssl_certificate ${files.certificate}; proxy_ssl_certificate_key ${files.key};
        proxy_ssl_trusted_certificate ${files.ca}; proxy_ssl_verify on; proxy_ssl_name ${DNS_NAME}; } }`,
  );
  return { port: client, pids: [caller.pid, callee.pid] };
}

const KEEP_ALIVE = 'proxy_http_version 1.1; proxy_set_header Connection "";';

function upstream(port) {
  return `upstream o { server 127.0.0.1:${port}; keepalive 512; keepalive_requests 1000000000; keepalive_timeout 1h; }`;
}

function start(stage, command, name, port, http, core = CORES.proxy) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${stage.folder}/${name}-${what};`)
    .join(' ');
  const config = stage.file(
    `${name}.conf`,
    `daemon off; master_process off; worker_processes 1; pid ${stage.folder}/${name}.pid; error_log stderr crit;
    events { worker_connections 4096; } http { access_log off; ${temporary} ${http} }\n`,
  );
  return stage.start({ name, command, args: ['-p', stage.folder, '-c', config], ready: port, core });
}
