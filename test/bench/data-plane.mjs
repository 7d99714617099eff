// The data plane under measurement: one function per shape. Each takes the peers that are wanted and returns samples by
// name, interleaved in rounds; ours are under OURS.NAME. Origin and generator run on core 1, what is measured on core 0.
import { connect } from 'node:net';
import { makeCertificates } from './certificates.mjs';
import { cpuOf, interleave, rssOf, wrk } from './measure.mjs';
import { lookFor, OURS, startOrigin } from './peers/index.mjs';
import { CORES, installed, pause, run, withStage } from './stage.mjs';

const MIB = 2 ** 20;
const program = (name) => new URL(`./programs/${name}.mjs`, import.meta.url).pathname;

/** Why nothing of the data plane can be measured here; null = it can. */
export function missingTools() {
  const missing = ['nginx', 'wrk', 'taskset', 'chrt', 'openssl'].filter(
    (name) => installed(name) === null && installed(`/usr/sbin/${name}`) === null,
  );
  return missing.length === 0
    ? null
    : `${missing.join(', ')} missing (apt-get install nginx-light wrk openssl util-linux)`;
}

/**
 * Starts the origin, us and the peers in one shape (`plain` or `pair`), and hands them over. A peer that is not there or
 * does not start is told by name in `missing`.
 */
async function withCandidates(shape, names, use) {
  return withStage(async (stage) => {
    const origin = await startOrigin(stage, lookFor('nginx').found);
    const parts = { origin, ...(shape === 'pair' ? { certificates: makeCertificates(stage) } : {}) };
    const ours = { name: OURS.NAME, ...(await OURS[shape](stage, OURS.find(), parts)) };
    const candidates = [ours];
    const missing = new Map();
    for (const name of names) {
      const { peer, found } = lookFor(name);
      if (found === null) missing.set(name, 'not installed');
      else if (peer[shape] === undefined) missing.set(name, 'not made for this');
      else {
        try {
          candidates.push({ name, ...(await peer[shape](stage, found, parts)) });
        } catch (error) {
          missing.set(name, `does not start: ${error.message}`);
        }
      }
    }
    const samples = await use({ stage, origin, ours, candidates });
    return { samples: new Map([...samples].map(([candidate, values]) => [candidate.name, values])), missing };
  });
}

/** CPU of all processes of a candidate per request, microseconds. */
export function cpuPerRequest({ shape, peers, rounds, seconds, connections = 50 }) {
  return withCandidates(shape, peers, async ({ candidates }) => {
    for (const { port } of candidates) await wrk({ port, connections, seconds: 3 });
    return interleave(candidates, rounds, async ({ port, pids }) => {
      const before = cpuOf(pids);
      const { requests } = await wrk({ port, connections, seconds });
      return (cpuOf(pids) - before) / 1000 / requests;
    });
  });
}

/** Bodies of 1 MiB: gigabytes per second of a core. */
export function bulk({ peers, rounds, seconds, connections = 8 }) {
  return withCandidates('plain', peers, async ({ candidates }) => {
    const load = (port, time) => wrk({ port, connections, seconds: time, path: '/1m' });
    for (const { port } of candidates) await load(port, 2);
    return interleave(candidates, rounds, async ({ port, pids }) => {
      const before = cpuOf(pids);
      const { requests } = await load(port, seconds);
      return (requests * MIB) / (cpuOf(pids) - before);
    });
  });
}

/** Median latency that a hop adds for one connection that asks again as soon as it has its answer, microseconds. */
export async function hopLatency({ peers, rounds, seconds }) {
  return withCandidates('plain', peers, async ({ origin, candidates }) => {
    const direct = { name: 'direct', port: origin, pids: [] };
    const all = [direct, ...candidates];
    const ask = (port, time) => wrk({ port, connections: 1, seconds: time });
    for (const { port } of all) await ask(port, 2);
    const samples = await interleave(all, rounds, async ({ port }) => (await ask(port, seconds)).p50Micros);
    return added(samples, direct);
  });
}

/** 99th percentile that a pair adds at a fixed rate, counted from the intended time of each request, microseconds. */
export async function openLoop({ peers, rounds, seconds, rate = 1_000, connections = 20 }) {
  const worst = new Map();
  const result = await withCandidates('pair', peers, async ({ origin, candidates }) => {
    const direct = { name: 'direct', port: origin, pids: [] };
    const all = [direct, ...candidates];
    // Code is compiled under load, not at 1000 requests a second.
    for (const { port } of candidates) await wrk({ port, connections, seconds: 3 });
    const samples = await interleave(all, rounds, async ({ name, port }) => {
      const options = { port, rate, seconds, warmup: 1.5, connections };
      const generator = [process.execPath, program('open-loop'), JSON.stringify(options)];
      const told = JSON.parse(await run('chrt', ['-i', '0', ...generator], (seconds + 20) * 1000));
      if (told.failed > 0) throw new Error(`${name}: ${told.failed} of ${told.sent} requests failed in the open loop`);
      worst.set(name, [...(worst.get(name) ?? []), told]);
      return told.p99;
    });
    return added(samples, direct);
  });
  return { ...result, details: worst };
}

/** Each sample less that of the same round without a proxy. */
function added(samples, direct) {
  const base = samples.get(direct);
  return new Map(
    [...samples].map(([candidate, values]) => [
      candidate,
      candidate === direct ? values : values.map((value, round) => value - base[round]),
    ]),
  );
}

/**
 * Memory after so many requests of which every 20th is given up by its client, and every 20th is reset by the origin,
 * against that after a warm-up of a tenth of them. Bytes; `lazy` = as it stands, without asking for garbage collection.
 */
export function memoryGrowth({ requests, connections = 50 }) {
  return withStage(async (stage) => {
    const origin = await stage.port();
    await stage.start({
      name: 'resetting-origin',
      command: process.execPath,
      args: [program('resetting-origin'), JSON.stringify({ port: origin, resetEvery: 20 })],
      ready: 'line',
      core: CORES.others,
    });
    const ours = await OURS.plain(stage, OURS.find(), { origin, flags: ['--expose-gc'] });
    const ask = async (count) => {
      const limitSeconds = 60 + count / 1_000;
      const options = { port: ours.port, requests: count, connections, abortEvery: 20, limitSeconds };
      const output = await run(
        process.execPath,
        [program('aborting-client'), JSON.stringify(options)],
        (limitSeconds + 10) * 1000,
      );
      return JSON.parse(output);
    };
    await ask(Math.round(requests / 10));
    const before = await memoryOf(ours);
    const parts = 10;
    const trend = [];
    const counts = {};
    for (let part = 0; part < parts; part++) {
      for (const [what, count] of Object.entries(await ask(Math.round(requests / parts))))
        counts[what] = (counts[what] ?? 0) + count;
      trend.push(rssOf(ours.pids[0]));
    }
    const after = await memoryOf(ours);
    return {
      growth: after.rss - before.rss,
      lazy: after.lazy - before.lazy,
      heap: after.heap - before.heap,
      from: before.rss,
      trend,
      counts,
    };
  });
}

/** A reader takes `bytesPerSecond` of an answer of 1 GiB; how far memory rises above what it was, bytes. */
export function slowReader({ seconds, bytesPerSecond = 64 * 1024 }) {
  return withStage(async (stage) => {
    const origin = await startOrigin(stage, lookFor('nginx').found);
    // No answer is whole within the deadline that the other measurements have.
    const ours = await OURS.plain(stage, OURS.find(), { origin, flags: ['--expose-gc'], timeoutMs: null });
    await wrk({ port: ours.port, connections: 50, seconds: 2 });
    const { rss } = await memoryOf(ours);
    let highest = 0;
    const read = await readSlowly(ours.port, bytesPerSecond, seconds, () => {
      highest = Math.max(highest, rssOf(ours.pids[0]));
    });
    return { growth: highest - rss, from: rss, read };
  });
}

/** Reads a tenth of a second's share ten times a second; resolves with the bytes that it got. */
function readSlowly(port, bytesPerSecond, seconds, look) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let read = 0;
    socket.pause();
    socket.write('GET /1g HTTP/1.1\r\nHost: reviews:9080\r\n\r\n');
    const end = Date.now() + seconds * 1000;
    const finish = (error) => {
      clearInterval(timer);
      socket.destroy();
      if (error === null) resolve(read);
      else reject(error);
    };
    const timer = setInterval(() => {
      try {
        look();
      } catch (error) {
        return finish(error);
      }
      const share = Math.floor(bytesPerSecond / 10);
      const chunk = socket.read(Math.min(share, socket.readableLength)) ?? socket.read(0);
      read += chunk?.length ?? 0;
      if (Date.now() >= end) finish(null);
    }, 100);
    socket.on('error', finish);
    socket.on('close', () => finish(new Error(`the sidecar closed the slow reader's connection after ${read} bytes`)));
  });
}

/** Resident memory as it stands and after a collection, and what lives; once it is quiet. */
async function memoryOf({ pids: [pid], children: [child] }) {
  await pause(2_000);
  const lazy = rssOf(pid);
  const told = new Promise((resolve) => child.stdout.once('data', (line) => resolve(Number(line))));
  child.kill('SIGUSR2');
  const heap = await told;
  await pause(500);
  return { lazy, heap, rss: rssOf(pid) };
}
