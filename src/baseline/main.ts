import { Agent, createServer, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
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
    badGateway(response);
  });
  // http-proxy does not notice an answer that breaks off: whoever asked would wait without end.
  proxy.on('proxyRes', (answer, _request, response) => {
    answer.once('close', () => {
      if (!answer.complete) response.destroy();
    });
  });
  const server = createServer((request, response) => proxy.web(request, response));
  server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
  server.on('error', fail);
  server.listen(listen.port, listen.host, () => log.info({ ...listen, target }, 'listening'));
  onTermination(() => process.exit(0));
}

/** 502, as long as nothing has been sent; what has begun is cut off, since its end would look like success. */
function badGateway(response: ServerResponse | Socket): void {
  if (!(response instanceof ServerResponse)) response.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n');
  else if (response.headersSent) response.destroy();
  else response.writeHead(502, { 'content-type': 'text/plain' }).end('Bad Gateway');
}

function fail(error: unknown): never {
  log.error({ error: error instanceof Error ? error.message : String(error) }, 'cannot start');
  process.exit(1);
}

main().catch(fail);
