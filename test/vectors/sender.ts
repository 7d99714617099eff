import { connect } from 'node:net';

export interface SentRequest {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly sourceIp?: string;
  readonly patienceMs?: number;
}

export interface Answer {
  /** Null = closed without an answer, or the caller left. */
  readonly status: number | null;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  /** The body came whole. */
  readonly whole: boolean;
  readonly ms: number;
}

/** Sends one request on a connection of its own, as it is given, byte by byte, and reads its answer. */
export function send(request: SentRequest): Promise<Answer> {
  const { host, port, method, path, lines, body, sourceIp, patienceMs = 30_000 } = request;
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(sourceIp === undefined ? {} : { localAddress: sourceIp }) });
    let received = Buffer.alloc(0);
    const done = (ended: boolean): void => {
      const answer = parsed(received, ended, method === 'HEAD');
      if (answer === null && !ended) return;
      clearTimeout(patience);
      socket.destroy();
      const nothing = { status: null, headers: {}, body: '', whole: false };
      resolve({ ...(answer ?? nothing), ms: performance.now() - started });
    };
    const patience = setTimeout(() => done(true), patienceMs);
    const length = body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.on('connect', () => socket.write(`${method} ${path} HTTP/1.1\r\n${head}${length}\r\n${body}`));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      done(false);
    });
    socket.on('error', () => {});
    socket.on('close', () => done(true));
  });
}

/** Null = there is more to come. */
function parsed(bytes: Buffer, ended: boolean, headOnly: boolean): Omit<Answer, 'ms'> | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first = '', ...rest] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers: Record<string, string[]> = {};
  for (const line of rest) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers[name] = [...(headers[name] ?? []), line.slice(colon + 1).trim()];
  }
  const status = Number(first.split(' ')[1]);
  const body = bytes.subarray(end + 4);
  const answer = { status, headers };
  if (headOnly || status === 204 || status === 304) return { ...answer, body: '', whole: true };
  const length = headers['content-length']?.[0];
  if (length !== undefined) {
    const whole = body.length >= Number(length);
    return whole || ended ? { ...answer, body: body.toString('latin1'), whole } : null;
  }
  if (headers['transfer-encoding'] === undefined)
    return ended ? { ...answer, body: body.toString('latin1'), whole: true } : null;
  const unchunked = chunks(body.toString('latin1'));
  return unchunked.whole || ended ? { ...answer, ...unchunked } : null;
}

function chunks(text: string): { body: string; whole: boolean } {
  let rest = text;
  let body = '';
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest, 16);
    if (line < 0 || Number.isNaN(size) || rest.length < line + 2 + size) return { body, whole: false };
    if (size === 0) return { body, whole: rest.includes('\r\n\r\n') };
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 4 + size);
  }
}
