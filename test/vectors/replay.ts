import type { Exchange } from '../../src/model/exchange.js';
import type { HeaderInput, VectorCase, VectorRequest } from './case.js';
import { type Hit, POD_FIELD } from './recording-app.js';
import type { Answer } from './sender.js';
import type { World } from './world.js';

/** What became of one request of a case, each repetition by itself. */
export interface Outcome {
  readonly sent: readonly SentOne[];
  readonly hits: readonly Hit[];
  readonly connections: Readonly<Record<string, number>>;
  readonly exchanges: readonly Exchange[];
}

export interface SentOne {
  readonly id: string;
  readonly lines: readonly (readonly [string, string])[];
  readonly answer: Answer;
}

/** Replays a case; the outcomes of its requests in order, or why its policies were refused. */
export async function replay(world: World, one: VectorCase): Promise<{ refused: string[]; outcomes: Outcome[] }> {
  await world.clear();
  await world.script(one.apps ?? {}, 'reset');
  const yaml = [one.objects, one.policies].filter((part) => part !== undefined).join('\n---\n');
  const refused = yaml === '' ? [] : await world.apply(`${one.id}.yaml`, yaml);
  if (refused.length > 0) return { refused, outcomes: [] };
  await world.take();
  const asked = one.requests.reduce((sum, { repeat = 1 }) => sum + repeat, 0);
  await recordingPaid(world, asked);
  const parts: Omit<Outcome, 'exchanges'>[] = [];
  for (const [index, request] of one.requests.entries()) {
    if (request.pause !== undefined) await new Promise((resolve) => setTimeout(resolve, request.pause));
    if (request.apps !== undefined) await world.script(request.apps, 'keep');
    const sent = await sendAll(world, one, request, index);
    const copies = /mirror/i.test(one.policies ?? '');
    parts.push({ sent, ...(copies ? await takenWhenQuiet(world) : await world.take()) });
  }
  const ids = new Set(parts.flatMap(({ sent }) => sent.map(({ id }) => id)));
  const recorded = parts.flatMap(({ sent }) => sent).filter(({ answer }) => !isRefusal(answer));
  // A direct answer looks like a refusal and is recorded all the same: it must not be taken for one that is waited for.
  await world.exchanges(new Set(recorded.map(({ id }) => id)), Math.min(recorded.length, 90));
  const exchanges = await world.exchanges(ids, 0);
  recordingSpent(world, asked);
  return {
    refused,
    outcomes: parts.map((part) => {
      const own = new Set(part.sent.map(({ id }) => id));
      return { ...part, exchanges: exchanges.filter(({ requestId }) => own.has(requestId)) };
    }),
  };
}

/** What apps received, when no more came for a while: copies and requests whose caller left are waited for by no answer. */
async function takenWhenQuiet(world: World): Promise<Omit<Outcome, 'sent' | 'exchanges'>> {
  const hits: Hit[] = [];
  const connections: Record<string, number> = {};
  for (let quiet = 0; quiet < 3; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    const more = await world.take();
    if (more.hits.length > 0) quiet = 0;
    hits.push(...more.hits);
    for (const [pod, n] of Object.entries(more.connections)) connections[pod] = (connections[pod] ?? 0) + n;
  }
  return { hits: hits.sort((a, b) => a.at - b.at), connections };
}

/** A sidecar keeps this many records per second, and of failures as many more at once. */
const RECORDS_PER_SECOND = 100;

/** Records that a world's caller owes, and since when: what is asked right after a case of hundreds would leave none. */
const debts = new WeakMap<World, { owed: number; at: number }>();

function owedNow(world: World): number {
  const { owed, at } = debts.get(world) ?? { owed: 0, at: performance.now() };
  return Math.max(0, owed - ((performance.now() - at) / 1_000) * RECORDS_PER_SECOND);
}

function recordingSpent(world: World, requests: number): void {
  debts.set(world, { owed: Math.min(2 * RECORDS_PER_SECOND, owedNow(world) + requests), at: performance.now() });
}

/** Resolves when as many records as a case is compared by can be kept. */
async function recordingPaid(world: World, requests: number): Promise<void> {
  const over = owedNow(world) + Math.min(requests, 90) - RECORDS_PER_SECOND;
  if (over > 0) await new Promise((resolve) => setTimeout(resolve, (over / RECORDS_PER_SECOND) * 1_000));
}

/** What is no request is refused before it becomes one, and nothing is recorded of it. */
export function isRefusal({ status, headers }: Answer): boolean {
  return status !== null && [400, 405, 417, 426, 431, 501].includes(status) && headers[POD_FIELD] === undefined;
}

async function sendAll(world: World, one: VectorCase, request: VectorRequest, index: number): Promise<SentOne[]> {
  const times = request.repeat ?? 1;
  const width = request.workers ?? request.concurrency ?? 1;
  const sent: SentOne[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < times) {
      const i = next++;
      sent[i] = await sendOne(world, request, `${one.id}/${index}/${i}`, i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, times) }, work));
  return sent;
}

async function sendOne(world: World, request: VectorRequest, id: string, i: number): Promise<SentOne> {
  const fill = (text: string): string => text.replaceAll('__I__', String(i));
  const lines: [string, string][] = [
    ['host', request.host ?? request.to],
    ['x-request-id', id],
    ...pairsOf(request.headers).map(([name, value]): [string, string] => [name, fill(value)]),
  ];
  const answer = await world.send(request.to, {
    method: request.method ?? 'GET',
    path: fill(request.path),
    lines,
    body: request.body ?? 'x'.repeat(request.body_size ?? 0),
    ...(request.source_ip === undefined ? {} : { sourceIp: fill(request.source_ip) }),
    ...(request.patience === undefined ? {} : { patienceMs: request.patience * 1_000 }),
  });
  return { id, lines, answer };
}

export function pairsOf(headers: HeaderInput | undefined): readonly (readonly [string, string])[] {
  if (headers === undefined) return [];
  const pairs = Array.isArray(headers) ? (headers as readonly (readonly [string, string])[]) : Object.entries(headers);
  return pairs.map(([name, value]) => [name, String(value)] as const);
}
