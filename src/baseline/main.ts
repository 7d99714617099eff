import { Agent, createServer } from 'node:http';
import { programLog } from '../platform/log.js';
import { onTermination, readBootstrap } from '../platform/program.js';
import type { BaselineBootstrap } from '../protocol/bootstrap.js';

const log = programLog('baseline');

/**
 * The baseline of `up --no-mesh`: a plain reverse proxy built on http-proxy, with a keep-alive agent, and nothing that a
 * mesh adds: no retries, no encryption, no records.
 */
async function main(): Promise<void> {
  // http-proxy still calls util._extend; its deprecation warning says nothing to the user.
  process.noDeprecation = true;
  const { default: httpProxy } = await import('http-proxy');
  const { listen, target } = await readBootstrap<BaselineBootstrap>(() => process.exit(0));
  const agent = new Agent({ keepAlive: true, maxSockets: 1_024 });
  const proxy = httpProxy.createProxyServer({ target, agent });
  proxy.on('error', (error, _request, response) => {
    log.warn({ error: error.message }, 'the service does not answer');
    if ('writeHead' in response && !response.headersSent) response.writeHead(502, { 'content-type': 'text/plain' });
    response.end('Bad Gateway');
  });
  const server = createServer((request, response) => proxy.web(request, response));
  server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
  server.listen(listen.port, listen.host, () => log.info({ ...listen, target }, 'listening'));
  onTermination(() => process.exit(0));
}

void main();
