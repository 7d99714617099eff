// Stands for the sidecar, the gateway, the control plane and the load generator: says what it was told on standard
// input, listens where interception sends connections, and answers every request with where it was meant to go.
const { createHash } = require('node:crypto');
const { createServer } = require('node:http');
const { createInterface } = require('node:readline');

createInterface({ input: process.stdin }).once('line', (line) => {
  console.log(`bootstrap ${createHash('sha256').update(line).digest('hex')}`);
  const { listen = [] } = JSON.parse(line);
  for (const port of listen) serve(port);
});
process.stdin.on('end', () => console.log('input ended'));
process.on('SIGTERM', () => process.exit(0));
setInterval(() => {}, 60_000);

function serve(port) {
  const server = createServer((request, response) => {
    response.setHeader('x-answered-by', String(port));
    response.end(
      JSON.stringify({ url: request.url, headers: request.rawHeaders, meant: originalDestination(request.socket) }),
    );
  });
  server.listen(port, () => console.log(`listens on ${server.address().port}`));
}

/** The kernel's word on where a redirected connection was going; null where nothing redirects. */
function originalDestination(socket) {
  try {
    const koffi = require('koffi');
    const getsockopt = koffi.load(null).func('int getsockopt(int, int, int, void *, _Inout_ uint32_t *)');
    const [address, size] = [Buffer.alloc(16), [16]];
    if (getsockopt(socket._handle.fd, 0, 80, address, size) !== 0) return null;
    return `${[...address.subarray(4, 8)].join('.')}:${address.readUInt16BE(2)}`;
  } catch {
    return null;
  }
}
