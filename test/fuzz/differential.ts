import type { Exchange } from '../../src/model/exchange.js';
import type { Draw } from '../support/chance.js';
import type { ForeignServer } from '../support/foreign-servers.js';
import { oneCodec } from '../support/one-codec.js';
import { corpus } from './corpus.js';
import { anyCuts, anything } from './grammar.js';
import { converse, type Sent } from './requests.js';
import { work } from './work.js';

export interface Compared {
  /** Requests that the server saw. */
  readonly seen: number;
  /** Requests that the sidecar sent on. */
  readonly accounted: number;
  readonly faults: readonly string[];
}

/** Cases of the corpus that `wanted` says yes to. */
export function* fromCorpus(wanted: (n: number) => boolean): Generator<Sent> {
  for (const [n, given] of corpus().entries()) if (wanted(n)) yield { text: given.text(String(n)), cuts: [] };
}

export function* composed(all: Iterable<Draw>): Generator<Sent> {
  const cases = corpus();
  for (const { seed, chance } of all) {
    const text = anything(chance, cases, String(seed));
    yield { text, cuts: anyCuts(chance, text) };
  }
}

/**
 * Sends messages through a sidecar to somebody else's server. The server must have seen each request that the sidecar
 * has an answer for exactly once, each other one that it sent on once at most, and nothing else.
 */
export async function compare(messages: Iterable<Sent>, start: () => Promise<ForeignServer>): Promise<Compared> {
  const server = await start();
  const codec = await oneCodec(server.port);
  const records: Exchange[] = [];
  try {
    await work(messages, Array.from({ length: 8 }), async (sent) => {
      await converse(codec.port, sent, true);
      records.push(...codec.sidecar.recorder.take().exchanges);
    });
  } finally {
    codec.close();
  }
  const seen = counted(await server.stop());
  const sent = records.filter(({ attempts }) => attempts.length > 0);
  const most = counted(sent.map(lineOf));
  const answered = sent.filter(({ details, failure }) => details === 'via_upstream' && failure === null);
  const least = counted(answered.map(lineOf));
  const faults = [...codec.bugs.map(String)];
  for (const [line, times] of seen) {
    // What a server could not read must be something that broke off, or that it refused: the sidecar has it on record.
    const known = line === '?' ? sent.filter((record) => !isFine(record)).length : (most.get(line) ?? 0);
    if (times > known) faults.push(`${line}: seen ${times} times, sent ${known} times`);
  }
  const unread = seen.get('?') ?? 0;
  let missing = 0;
  for (const [line, times] of least) missing += Math.max(0, times - (seen.get(line) ?? 0));
  if (missing > unread) faults.push(`${missing} requests were answered and not seen, ${unread} could not be read`);
  return { seen: total(seen), accounted: sent.length, faults };
}

function isFine({ response: { status }, failure }: Exchange): boolean {
  return failure === null && status < 400;
}

function lineOf({ request }: Exchange): string {
  return `${request.method} ${request.path}`;
}

function counted(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}
