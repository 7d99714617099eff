import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
import { BACK_ENDS, type BackEnd, type BackEndName, isInstalled, startBackEnd } from '../support/back-ends.js';
import { type Chance, chances } from '../support/chance.js';
import { composed, corpus, type OddMessage } from '../support/odd-messages.js';
import { forward, host, type OneSidecar, on, oneSidecar, rule, to } from '../support/one-sidecar.js';
import { until } from '../support/until.js';

/**
 * Two parsers that read the same bytes differently are what request smuggling lives on. Whatever a caller sends, servers
 * that others wrote must see exactly the requests that the sidecar accounts for: no more, and no others.
 */
/** Share of the corpus in the suite; `npm run fuzz` takes all of it, and as many composed messages again. */
const WHOLE = (process.env['FUZZ'] ?? '') !== '';
const EVERY = WHOLE ? 1 : 6;
const COMPOSED = WHOLE ? 6_000 : 300;
/** Messages that are in flight at a time, over the same pooled connections to the back end. */
const AT_ONCE = 16;

let backEnd: BackEnd | null = null;
let sidecar: OneSidecar | null = null;
afterEach(() => end());

async function end(): Promise<void> {
  const ended = [sidecar, backEnd];
  sidecar = null;
  backEnd = null;
  for (const one of ended) await one?.close();
}

const missing = BACK_ENDS.filter((name) => !isInstalled(name));
if (missing.length > 0) console.warn(`SKIPPED: the comparison with ${missing.join(', ')}: not installed here`);

describe.each(BACK_ENDS)('behind the sidecar, %s', (name: BackEndName) => {
  it.skipIf(!isInstalled(name))(
    'sees the requests that the sidecar accounts for, and no others',
    async () => {
      for (const { seed, chance } of chances(1)) {
        backEnd = await startBackEnd(name);
        sidecar = await oneSidecar({}, { external: { app: backEnd.port } });
        sidecar.apply([host([rule('all', on('/'), forward([to('app')]))], ['*'])]);
        const messages = [
          ...corpus().filter((_, i) => (i + seed) % EVERY === 0),
          ...Array.from({ length: COMPOSED }, (_, i) => composed(chance, `c${i}`)),
        ];
        const records = await sendAll(sidecar, messages, chance);
        judge(backEnd.seen(), records, messages, `TEST_SEED=${seed}`);
        await end();
      }
    },
    600_000,
  );
});

async function sendAll(one: OneSidecar, messages: readonly OddMessage[], chance: Chance): Promise<Exchange[]> {
  const records: Exchange[] = [];
  for (let at = 0; at < messages.length; at += AT_ONCE) {
    await Promise.all(messages.slice(at, at + AT_ONCE).map(({ bytes }) => converse(one.port, bytes, chance)));
    records.push(...one.records());
  }
  await until(async () => {
    records.push(...one.records());
    return one.sidecar.inFlight === 0;
  }, 'nothing is under way');
  records.push(...one.records());
  return records;
}

/** Sends the bytes in two pieces, says that no more will come, and waits until the other side has ended too. */
function converse(port: number, text: string, chance: Chance): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const cut = chance.below(text.length + 1);
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.write(text.slice(0, cut), 'latin1', () => socket.end(text.slice(cut), 'latin1'));
  });
}

/** A request that is broken off may or may not be seen; one that was answered was. */
function judge(
  seen: readonly string[],
  records: readonly Exchange[],
  messages: readonly OddMessage[],
  told: string,
): void {
  const count = (lines: readonly string[], line: string): number => lines.filter((other) => other === line).length;
  const sent = records.filter(({ attempts }) => attempts.some(({ endpoint }) => endpoint !== ''));
  const lines = sent.map(({ request }) => `${request.method} ${request.path}`);
  const answered = sent
    .filter(({ failure }) => failure === null)
    .map(({ request }) => `${request.method} ${request.path}`);
  const by = new Map(messages.map((message) => [message.name, message]));
  const about = (line: string): string =>
    `${told} ${line}: ${JSON.stringify(by.get(/(m|c)\d+/.exec(line)?.[0] ?? '')?.bytes ?? '')}`;
  expect(sent.length, told).toBeGreaterThan(messages.length / 50);
  // A server that refuses a request may not say which (an upgrade without its key, more fields than it takes): each of
  // these must be one that we accounted for and that was not seen by its name.
  const nameless = seen.filter((line) => line === '' || line === '- -').length;
  const named = seen.filter((line) => line !== '' && line !== '- -');
  const unseen = [...new Set(lines)].reduce(
    (sum, line) => sum + Math.max(0, count(lines, line) - count(named, line)),
    0,
  );
  expect(nameless, told).toBeLessThanOrEqual(unseen);
  for (const line of new Set([...named, ...lines])) {
    expect(count(named, line), about(line)).toBeLessThanOrEqual(count(lines, line));
    if (nameless === 0) expect(count(named, line), about(line)).toBeGreaterThanOrEqual(count(answered, line));
  }
}
