// Answers 1 KB, but resets the connection instead of every `resetEvery`-th answer: before it, after its head, or within
// its body. Usage: resetting-origin.mjs '{"port", "resetEvery"}'.
import { createServer } from 'node:net';

const { port, resetEvery } = JSON.parse(process.argv[2]);
const head = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n');
const whole = Buffer.concat([head, Buffer.alloc(1024, 'x')]);
const cuts = [0, head.length, head.length + 512];
let n = 0;

createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    const parts = (rest + text).split('\r\n\r\n');
    rest = parts.pop();
    for (let i = 0; i < parts.length; i++) {
      if (++n % resetEvery !== 0) {
        socket.write(whole);
        continue;
      }
      const cut = cuts[(n / resetEvery) % cuts.length];
      if (cut === 0) socket.resetAndDestroy();
      else socket.write(whole.subarray(0, cut), () => setImmediate(() => socket.resetAndDestroy()));
      return;
    }
  });
  socket.on('error', () => {});
}).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
