// Open loop: requests at a fixed rate whatever the answers do, latency from the moment at which each was meant to be sent
// (a stall counts for every request that it held up), into an HDR histogram. One process, to be pinned to core 1 and run
// with `chrt -i 0`: it looks at the clock all the time (a timer is a millisecond coarse, and a core that sleeps wakes up
// late), and steps aside for the origin, which shares its core.
// Usage: open-loop.mjs '{"port", "rate", "seconds", "warmup", "connections"}'; prints one JSON line, times in microseconds.
import { connect } from 'node:net';
import { createHistogram } from 'node:perf_hooks';

const DRAIN_MS = 5_000;

function main() {
  const { port, rate, seconds, warmup = 1, connections = 20, path = '/reviews/0' } = JSON.parse(process.argv[2]);
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: reviews:9080\r\nUser-Agent: bench\r\n\r\n`);
  const gapMs = 1000 / rate;
  const counted = Math.round(rate * seconds);
  const ahead = Math.round(rate * warmup);
  const total = ahead + counted;
  const histogram = () => createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
  const latency = histogram();
  const lateness = histogram();
  const free = [];
  const waiting = [];
  const open = new Set();
  let due = 0;
  let ended = 0;
  let failed = 0;

  const now = () => performance.timeOrigin + performance.now();
  const startedAt = now() + 50;
  const micros = (ms) => Math.max(1, Math.round(ms * 1000));
  const meant = (n) => startedAt + n * gapMs;

  const finish = (n, ok) => {
    if (n >= ahead) {
      latency.record(micros(now() - meant(n)));
      if (!ok) failed++;
    }
    if (++ended === total) report();
  };
  const send = (connection, n) => {
    connection.n = n;
    connection.socket.write(request);
    if (n >= ahead) lateness.record(micros(now() - meant(n)));
  };
  const release = (connection) => {
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else send(connection, next);
  };
  const dial = () => {
    const connection = { socket: connect({ host: '127.0.0.1', port, noDelay: true }), n: -1, bytes: null };
    open.add(connection);
    connection.socket.on('data', (chunk) => {
      connection.bytes = connection.bytes === null ? chunk : Buffer.concat([connection.bytes, chunk]);
      const status = answered(connection.bytes);
      if (status === 0) return;
      const { n } = connection;
      connection.bytes = null;
      connection.n = -1;
      finish(n, status === 200);
      release(connection);
    });
    connection.socket.on('error', () => {});
    connection.socket.once('connect', () => release(connection));
    connection.socket.once('close', () => {
      open.delete(connection);
      const index = free.indexOf(connection);
      if (index >= 0) free.splice(index, 1);
      if (connection.n >= 0) finish(connection.n, false);
      if (ended < total) setTimeout(dial, 1);
    });
  };
  const report = () => {
    const of = (values) => ({
      p50: values.percentile(50),
      p90: values.percentile(90),
      p99: values.percentile(99),
      p999: values.percentile(99.9),
    });
    const result = { sent: counted, failed, ...of(latency), max: latency.max, late: of(lateness) };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  };

  for (let i = 0; i < connections; i++) dial();
  const look = () => {
    for (; due < total && meant(due) <= now(); due++) {
      const connection = free.pop();
      if (connection === undefined) waiting.push(due);
      else send(connection, due);
    }
    setImmediate(look);
  };
  look();
  // What is not answered at the end has failed, and counts with the time that it took until now.
  setTimeout(
    () => {
      const unanswered = [...[...open].map(({ n }) => n).filter((n) => n >= 0), ...waiting];
      for (let n = due; n < total; n++) unanswered.push(n);
      for (const n of unanswered) finish(n, false);
    },
    50 + total * gapMs + DRAIN_MS,
  );
}

/** Status of a whole answer with a Content-Length; 0 = not whole yet. */
function answered(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const head = bytes.latin1Slice(0, end).toLowerCase();
  const length = Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0);
  return bytes.length < end + 4 + length ? 0 : Number(head.slice(9, 12));
}

main();
