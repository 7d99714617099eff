import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { ClientCertificate } from '../support/certificates.js';

/** One request on a connection of its own, byte by byte as the case wants it. */
export interface Sending {
  readonly port: number;
  readonly localAddress: string;
  readonly bytes: Buffer;
  readonly tls: {
    readonly certificate: ClientCertificate | null;
    readonly alpn: readonly string[];
    readonly sni: string;
  } | null;
  readonly method: string;
}

export interface Received {
  /** Null = the connection was closed, or nothing came in time. */
  readonly status: number | null;
  readonly error: 'closed' | 'timeout' | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** How long an answer may take, ms: only what reached an app that does not understand it takes as long. */
const PATIENCE_MS = 1_000;

export function send({ port, localAddress, bytes, tls, method }: Sending): Promise<Received> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', localAddress });
    let received = '';
    const settle = (result: Received): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle(nothing('timeout')), PATIENCE_MS);
    const stream =
      tls === null
        ? socket
        : tlsConnect({
            socket,
            rejectUnauthorized: false,
            ...(tls.certificate ?? {}),
            ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
            ...(tls.sni === '' ? {} : { servername: tls.sni }),
          });
    stream.setEncoding('latin1');
    stream.on(tls === null ? 'connect' : 'secureConnect', () => stream.write(bytes));
    stream.on('data', (text: string) => {
      received += text;
      const answer = answerIn(received, method);
      if (answer !== null) settle(answer);
    });
    const ended = (): void => settle(answerIn(received, method) ?? nothing('closed'));
    for (const one of new Set([socket, stream])) {
      one.on('error', () => {});
      one.on('close', ended);
    }
  });
}

function nothing(error: 'closed' | 'timeout'): Received {
  return { status: null, error, headers: [], body: '' };
}

/** The answer when all of it is there; null = more must come. Interim answers are passed over. */
function answerIn(text: string, method: string): Received | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(line.split(' ')[1]);
  const rest = text.slice(end + 4);
  if (status < 200) return answerIn(rest, method);
  const headers = lines.map((one) => {
    const colon = one.indexOf(':');
    return [one.slice(0, colon).toLowerCase(), one.slice(colon + 1).trim()] as const;
  });
  const value = (name: string): string | undefined => headers.find(([known]) => known === name)?.[1];
  const length = Number(value('content-length') ?? 0);
  const chunked = value('transfer-encoding') === 'chunked';
  if (method !== 'HEAD' && (chunked ? !rest.endsWith('0\r\n\r\n') : rest.length < length)) return null;
  return { status, error: null, headers, body: method === 'HEAD' ? '' : rest };
}
