// The peer that people would write themselves: http-proxy-3 with a keep-alive agent.
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const { port, upstreamPort } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: 512 });
const proxy = createProxyServer({ target: `http://127.0.0.1:${upstreamPort}`, agent });
proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end());
createServer((request, response) => proxy.web(request, response)).listen(port, '127.0.0.1', () =>
  process.stdout.write('ready\n'),
);
