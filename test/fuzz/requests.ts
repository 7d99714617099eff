import { connect } from 'node:net';
import type { Exchange } from '../../src/model/exchange.js';
import { type OneCodec, oneCodec } from '../support/one-codec.js';
import { echoOf, RecordingBackend } from './recorder.js';
import { canonicalHead, type ReadAnswer, type Reading, readAnswer, readRequests } from './reference.js';

/** Refusals that a client may see; anything else is an accident. */
const REFUSALS = new Set([400, 405, 408, 414, 417, 426, 431, 501, 505]);

/** How long a conversation may say nothing, ms: far more than any needs. */
const PATIENCE_MS = 20_000;
const NO_END = '(the sidecar neither answers nor ends)';

/** A message as it is sent: one text, cut where these places are. */
export interface Sent {
  readonly text: string;
  readonly cuts: readonly number[];
}

/** What the client got: final answers in their order, and whether they could be read at all. */
export interface Heard {
  readonly answers: readonly ReadAnswer[];
  readonly received: string;
  readonly readable: boolean;
}

/** Everything that became of one message. */
export interface Outcome {
  readonly reading: Reading;
  readonly heard: Heard;
  readonly records: readonly Exchange[];
  /** What is wrong with it; empty = nothing. */
  readonly faults: readonly string[];
}

/** A sidecar between a raw client and a recording back end. One message at a time: what is seen belongs to it. */
export class Bed {
  readonly #codec: OneCodec;
  readonly #backend: RecordingBackend;

  private constructor(codec: OneCodec, backend: RecordingBackend) {
    this.#codec = codec;
    this.#backend = backend;
  }

  static async open(): Promise<Bed> {
    const backend = await new RecordingBackend().listen();
    return new Bed(await oneCodec(backend.port), backend);
  }

  close(): void {
    this.#codec.close();
    this.#backend.close();
  }

  /** Sends a message, waits for the end of the connection, and compares what everybody saw. */
  async run(sent: Sent): Promise<Outcome> {
    const reading = readRequests(sent.text);
    const { recorded, faults: writtenFaults } = this.#backend;
    recorded.length = 0;
    writtenFaults.length = 0;
    const heard = answersIn(await converse(this.#codec.port, sent, true), reading);
    const records = this.#codec.sidecar.recorder.take().exchanges;
    (this.#codec.accepted as unknown[]).length = 0;
    const faults = [...writtenFaults, ...this.#codec.bugs.map(String)];
    (this.#codec.bugs as unknown[]).length = 0;
    const expect = (what: string, actual: unknown, wanted: unknown): void => {
      if (JSON.stringify(actual) !== JSON.stringify(wanted))
        faults.push(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`);
    };
    const { requests, tail } = reading;
    const routed = requests.filter(isRouted);
    expect(
      'the back end saw',
      recorded.map(({ request }) => `${request.method} ${request.target}`),
      routed.map(({ method, target }) => `${method} ${target}`),
    );
    recorded.forEach(({ request, head }, n) => {
      const wanted = routed[n];
      if (wanted === undefined) return;
      expect('its head', head, canonicalHead(wanted));
      expect('its body', request.body, wanted.body);
      expect('its trailers', request.trailers, wanted.trailers);
    });
    const forwarded = records.filter(({ response }) => response.status === 200);
    expect(
      'records',
      forwarded.map(lineOf),
      routed.map(({ method, target, host }) => `${method} ${target} ${host}`),
    );
    if (!heard.readable) faults.push(`the client got what is no answer: ${JSON.stringify(heard.received)}`);
    const own = heard.answers.slice(0, requests.length);
    expect(
      'answers',
      own.map(({ status, lines }) => `${status} ${lines.filter((line) => line.startsWith('x-echo'))}`),
      requests.map((request) => (isRouted(request) ? `200 x-echo: ${echoOf(request)}` : '404 ')),
    );
    expect(
      'bodies',
      own.map(({ body }) => body),
      requests.map((request) => (request.method === 'HEAD' || !isRouted(request) ? '' : echoOf(request))),
    );
    const rest = heard.answers.slice(requests.length).map(({ status }) => status);
    if (tail === 'refused') {
      if (rest.length > 1 || rest.some((status) => !REFUSALS.has(status)))
        faults.push(`refused with ${rest.join(', ')}`);
    } else expect('further answers', rest, []);
    return { reading, heard, records, faults };
  }

  /** Sends what was refused once more and stays: true when the sidecar ends the connection of its own accord. */
  async closes(text: string): Promise<boolean> {
    const received = await converse(this.#codec.port, { text, cuts: [] }, false);
    this.#codec.sidecar.recorder.take();
    return /HTTP\/1\.1 [45]/.test(received) && !received.includes(NO_END);
  }
}

/** `OPTIONS *` is about no path, so that no rule is met (Envoy). */
function isRouted({ target }: { readonly target: string }): boolean {
  return target !== '*';
}

function lineOf({ request }: Exchange): string {
  return `${request.method} ${request.path} ${request.host}`;
}

/** Writes the pieces, ends its side if told so, and resolves with all that came when the other side has ended. */
export function converse(port: number, { text, cuts }: Sent, half: boolean): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    let received = '';
    const places = [0, ...[...cuts].sort((a, b) => a - b), text.length];
    const write = (n: number): void => {
      const from = places[n] as number;
      const to = places[n + 1];
      if (to === undefined) {
        if (half) socket.end();
      } else if (from === to) write(n + 1);
      // The next piece leaves when this one has: mostly in a packet of its own.
      else socket.write(text.slice(from, to), 'latin1', () => setImmediate(write, n + 1));
    };
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.setTimeout(PATIENCE_MS, () => {
      received += NO_END;
      socket.destroy();
    });
    socket.on('close', () => resolve(received));
    write(0);
  });
}

function answersIn(received: string, { requests }: Reading): Heard {
  const answers: ReadAnswer[] = [];
  let at = 0;
  try {
    while (at < received.length) {
      // Behind the whole requests stands the refusal; of a HEAD whose body is malformed it has no content.
      const method = requests[answers.length]?.method;
      const answer =
        readAnswer(received, at, method ?? 'GET', true) ?? readAnswer(received, at, method ?? 'HEAD', true);
      // Interim answers with nothing behind them: the message never became whole.
      if (answer === null)
        return { answers, received, readable: /^(HTTP\/1\.1 100 Continue\r\n\r\n)+$/.test(received.slice(at)) };
      answers.push(answer);
      at = answer.end;
    }
  } catch {
    return { answers, received, readable: false };
  }
  return { answers, received, readable: true };
}
