// Apache httpd from the Debian package (`apache2-bin` is enough), event MPM, one child.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { installed } from '../stage.mjs';

export const NAME = 'apache';
const MODULES = '/usr/lib/apache2/modules';

export function find() {
  const command = installed('apache2') ?? installed('/usr/sbin/apache2');
  if (command === null || !existsSync(`${MODULES}/mod_proxy_http.so`)) return null;
  return { command, version: /Apache\/([\d.]+)/.exec(execFileSync(command, ['-v'], { encoding: 'utf8' }))?.[1] ?? '' };
}

export async function plain(stage, { command }, { origin }) {
  const port = await stage.port();
  const modules = ['mpm_event', 'authz_core', 'proxy', 'proxy_http'];
  const config = stage.file(
    'apache.conf',
    `${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerRoot ${stage.folder}
ServerName localhost
PidFile ${stage.folder}/apache.pid
Mutex file:${stage.folder}
ErrorLog ${stage.folder}/apache.error
LogLevel crit
Listen 127.0.0.1:${port}
StartServers 1
ServerLimit 1
ThreadLimit 256
ThreadsPerChild 256
MaxRequestWorkers 256
MinSpareThreads 1
MaxSpareThreads 256
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
ProxyPass / http://127.0.0.1:${origin}/ keepalive=On
`,
  );
  const child = await stage.start({
    name: 'apache',
    command,
    args: ['-DFOREGROUND', '-f', config],
    ready: port,
  });
  return { port, pids: [child.pid] };
}
