// http-proxy as its README shows it, with its defaults: a new connection to the origin for each request.
import httpProxy from 'http-proxy';

const { port, upstreamPort } = JSON.parse(process.argv[2]);
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${upstreamPort}` });
proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end());
proxy.listen(port, '127.0.0.1');
process.stdout.write('ready\n');
