// Closed loop in which every `abortEvery`-th request is given up by its client: before the head is whole, while it waits
// for the answer, or within the answer. Usage: aborting-client.mjs '{"port", "requests", "connections", "abortEvery"}';
// prints one JSON line. Ends after `limitSeconds` whatever was done.
import { connect } from 'node:net';

const { port, requests, connections, abortEvery, limitSeconds } = JSON.parse(process.argv[2]);
const whole = Buffer.from('GET /reviews/0 HTTP/1.1\r\nHost: reviews:9080\r\nUser-Agent: bench\r\n\r\n');
const half = whole.subarray(0, whole.length >> 1);
const counts = { sent: 0, ok: 0, failed: 0, broken: 0, aborted: 0 };
let open = 0;

function session() {
  open++;
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let bytes = null;
  let asked = false;
  let abortInAnswer = false;
  const next = () => {
    if (counts.sent >= requests) return socket.end();
    const n = counts.sent++;
    asked = true;
    if (n % abortEvery !== abortEvery - 1) return socket.write(whole);
    counts.aborted++;
    asked = false;
    switch (Math.floor(n / abortEvery) % 4) {
      case 0: // within its head
        return socket.write(half, () => socket.destroy());
      case 1: // waiting, with FIN
        return socket.write(whole, () => socket.destroy());
      case 2: // waiting, with RST
        return socket.write(whole, () => socket.resetAndDestroy());
      default: // within the answer
        abortInAnswer = true;
        return socket.write(whole);
    }
  };
  socket.on('data', (chunk) => {
    if (abortInAnswer) return socket.resetAndDestroy();
    bytes = bytes === null ? chunk : Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = bytes.latin1Slice(0, end).toLowerCase();
    const length = Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0);
    if (bytes.length < end + 4 + length) return;
    bytes = null;
    asked = false;
    if (head.slice(9, 12) === '200') counts.ok++;
    else counts.failed++;
    if (/\r\nconnection: *close/.test(head)) socket.end();
    else next();
  });
  socket.on('error', () => {});
  socket.once('connect', next);
  socket.once('close', () => {
    open--;
    if (asked) counts.broken++;
    if (counts.sent < requests) setImmediate(session);
    else if (open === 0) finish();
  });
}

function finish() {
  process.stdout.write(`${JSON.stringify(counts)}\n`, () => process.exit(0));
}

for (let i = 0; i < connections; i++) session();
setTimeout(finish, limitSeconds * 1000).unref();
