// What is read from processes, and how samples become a figure: interleaved rounds, ratios within a round, medians.
import { readdirSync, readFileSync } from 'node:fs';
import { run } from './stage.mjs';

/** CPU time so far of all threads of processes and of what they forked, nanoseconds. */
export function cpuOf(pids) {
  return pids.reduce((sum, pid) => sum + treeOf(pid).reduce((cpu, process) => cpu + cpuOfProcess(process), 0), 0);
}

function cpuOfProcess(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    0,
  );
}

function treeOf(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(treeOf)];
}

/** Resident memory, bytes. */
export function rssOf(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

/**
 * Closed loop on core 1. Throws when an answer was no 2xx or 3xx.
 * @returns {Promise<{ requests: number, p50Micros: number }>}
 */
export async function wrk({ port, connections, seconds, path = '/reviews/0' }) {
  const output = await run(
    'wrk',
    [
      ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency', '-H', 'Host: reviews:9080'],
      `http://127.0.0.1:${port}${path}`,
    ],
    (seconds + 20) * 1000,
  );
  const failed = /Non-2xx or 3xx responses: \d+|Socket errors: (?!connect 0, read 0, write 0, timeout 0).*/.exec(
    output,
  );
  if (failed) throw new Error(`port ${port}: ${failed[0]}`);
  const [, p50, unit] = /50%\s+([\d.]+)(us|ms|s)/.exec(output);
  return {
    requests: Number(/(\d+) requests in/.exec(output)[1]),
    p50Micros: Number(p50) * { us: 1, ms: 1e3, s: 1e6 }[unit],
  };
}

/**
 * One sample of each candidate per round; the order turns by one each round, so that nobody always comes first.
 * @template C
 * @param {C[]} candidates
 * @param {number} rounds
 * @param {(candidate: C) => Promise<number>} sample
 * @returns {Promise<Map<C, number[]>>}
 */
export async function interleave(candidates, rounds, sample) {
  const samples = new Map(candidates.map((candidate) => [candidate, []]));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[(round + i) % candidates.length];
      samples.get(candidate).push(await sample(candidate));
    }
  }
  return samples;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median of the ratios within each round, with their spread. */
export function ratioOf(ours, peer) {
  const ratios = ours.map((sample, i) => sample / peer[i]);
  return { ratio: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}
