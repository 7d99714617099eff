import { POD_FIELD } from '../vectors/recording-app.js';
import type { World } from '../vectors/world.js';

/** What came of a request: what the caller got, and what the apps received. */
export interface Asked {
  readonly status: number | null;
  /** Pod whose answer it is; null = the sidecar's own. */
  readonly pod: string | null;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly ms: number;
  /** `pod method path host`, as they came. */
  readonly hits: readonly string[];
  readonly fields: ReadonlyMap<string, string>;
  readonly flags: string;
  readonly attempts: number;
}

interface Init {
  readonly to?: string;
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let counter = 0;

/** Asks as the caller's app does, and looks at everything that came of it. */
export async function ask(world: World, path: string, init: Init = {}): Promise<Asked> {
  const { to = 'reviews:9080', host = to, method = 'GET', headers = {} } = init;
  const id = `ask/${counter++}`;
  await world.take();
  const lines = [['host', host], ['x-request-id', id], ...Object.entries(headers)] as [string, string][];
  const answer = await world.send(to, { method, path, lines, body: '' });
  const [exchange] = await world.exchanges(new Set([id]), 1);
  const { hits } = await world.take();
  const first = hits[0]?.lines ?? [];
  return {
    ...answer,
    pod: answer.headers[POD_FIELD]?.[0] ?? null,
    hits: hits.map((hit) => `${hit.pod} ${hit.method} ${hit.path} ${fieldsOf(hit.lines).get('host')}`),
    fields: fieldsOf(first),
    flags: exchange?.flags.join(',') ?? '',
    attempts: exchange?.attempts.length ?? 0,
  };
}

/** Who answered so many requests, counted. */
export async function shares(world: World, times: number, path = '/'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < times; i++) {
    const lines = [
      ['host', 'reviews:9080'],
      ['x-request-id', `share/${counter++}`],
    ] as [string, string][];
    const { headers } = await world.send('reviews:9080', { method: 'GET', path, lines, body: '' });
    const pod = headers[POD_FIELD]?.[0] ?? 'none';
    counts[pod] = (counts[pod] ?? 0) + 1;
  }
  return counts;
}

function fieldsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    Array.from({ length: lines.length / 2 }, (_, i) => [(lines[2 * i] ?? '').toLowerCase(), lines[2 * i + 1] ?? '']),
  );
}
