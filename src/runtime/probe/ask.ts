import { type IncomingMessage, request } from 'node:http';
import { systemClock } from '../../platform/clock.js';
import type { ProbeRequest } from '../runtime.js';

/** Longest body that is shown, bytes. */
const BODY_LIMIT = 64 * 1024;

/** What came back; status 0 and an error when nothing did. */
export interface ProbeResult {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** UTF-8, at most 64 KiB of it. */
  readonly body: string;
  readonly truncated: boolean;
  readonly durationMs: number;
  readonly error: string | null;
}

type Answer = Omit<ProbeResult, 'durationMs'>;

const NOTHING: Answer = { status: 0, headers: [], body: '', truncated: false, error: null };

/**
 * Sends one HTTP/1.1 request on a connection of its own, with exactly the headers given (and Host), and follows no
 * redirect. Never rejects: what went wrong is in `error`. `timeoutMs` is for the whole of it.
 */
export function ask(probe: ProbeRequest): Promise<ProbeResult> {
  const started = systemClock.monotonic();
  return new Promise((resolve) => {
    const done = (answer: Answer): void => {
      timer.cancel();
      resolve({ ...answer, durationMs: systemClock.monotonic() - started });
    };
    const outgoing = send(probe, done);
    const timer = systemClock.after(probe.timeoutMs, () => {
      done({ ...NOTHING, error: `no answer within ${probe.timeoutMs} ms` });
      outgoing?.destroy();
    });
  });
}

function send(probe: ProbeRequest, done: (answer: Answer) => void) {
  const fail = (error: unknown): void => {
    done({ ...NOTHING, error: error instanceof Error ? error.message || String(error) : String(error) });
  };
  try {
    const outgoing = request(probe.url, {
      method: probe.method,
      agent: false,
      // Given as a list, headers are sent as they are, and Node adds no Host of its own.
      headers: [...hostField(probe), ...probe.headers.flat()],
    });
    outgoing.on('error', fail);
    outgoing.on('response', (response) => void read(response).then(done));
    outgoing.end(probe.body ?? undefined);
    return outgoing;
  } catch (error) {
    // An address or a header that Node refuses to send; `done` needs the timer that is set after us.
    queueMicrotask(() => fail(error));
    return null;
  }
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let kept = 0;
  let truncated = false;
  const answer = (error: string | null): Answer => ({
    status: response.statusCode ?? 0,
    headers: pairs(response.rawHeaders),
    body: Buffer.concat(chunks).toString('utf8'),
    truncated,
    error,
  });
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const piece = chunk.subarray(0, BODY_LIMIT - kept);
      truncated ||= piece.length < chunk.length;
      kept += piece.length;
      if (piece.length > 0) chunks.push(piece);
    }
    return answer(null);
  } catch {
    return answer('the answer broke off');
  }
}

function hostField({ url, headers }: ProbeRequest): string[] {
  return headers.some(([name]) => name.toLowerCase() === 'host') ? [] : ['host', new URL(url).host];
}

function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([flat[i] as string, flat[i + 1] as string]);
  return found;
}
