import { createServer, type Server, type Socket } from 'node:net';
import { canonicalHead, OWN_LINES, type ReadRequest, readRequests } from './reference.js';

/** A request as a back end got it. */
export interface Recorded {
  readonly request: ReadRequest;
  /** Its head as it came, without the lines that a sidecar writes of its own. */
  readonly head: string;
}

/** More than a sidecar adds to a request. */
const OWN_FIELDS = 8;

/**
 * A back end that logs every byte and reads it by the reference, as strictly as can be: what is no request, or not as a
 * sidecar writes one, is a fault of the sidecar. Its answer tells which request it belongs to.
 */
export class RecordingBackend {
  readonly recorded: Recorded[] = [];
  /** What no sidecar may have written. */
  readonly faults: string[] = [];
  port = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #answers = 0;

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    return this;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #serve(socket: Socket): void {
    let text = '';
    this.#open.add(socket);
    socket.on('error', () => {}).on('close', () => this.#open.delete(socket));
    socket.setEncoding('latin1').on('data', (data: string) => {
      text += data;
      // A request is whole or not; the rest waits for more.
      const { requests, tail, why } = readRequests(text, OWN_FIELDS);
      if (tail === 'refused' || tail === 'closed') {
        this.faults.push(`${tail} ${why}: ${JSON.stringify(text)}`);
        socket.destroy();
      }
      if (requests.length > 1) this.faults.push(`sent before the answer: ${JSON.stringify(text)}`);
      let start = 0;
      for (const request of requests) {
        this.#take(socket, request, text.slice(start, request.end));
        start = request.end;
      }
      text = text.slice(start);
    });
  }

  #take(socket: Socket, request: ReadRequest, text: string): void {
    const head = text
      .slice(0, text.indexOf('\r\n\r\n'))
      .split('\r\n')
      .filter((line) => !OWN_LINES.test(line))
      .join('\r\n');
    this.recorded.push({ request, head });
    if (head !== canonicalHead(request)) this.faults.push(`not canonical: ${JSON.stringify(text)}`);
    socket.write(answerTo(request, ++this.#answers), 'latin1');
  }
}

/** What an answer to a request says, so that its caller knows whether it is its own. */
export function echoOf(request: Pick<ReadRequest, 'method' | 'target' | 'body'>): string {
  return `${request.method} ${request.target} ${request.body.length}`;
}

/** By turns with a length and in chunks. */
function answerTo(request: ReadRequest, n: number): string {
  const echo = echoOf(request);
  const head = `HTTP/1.1 200 OK\r\nx-echo: ${echo}\r\n`;
  if (request.method === 'HEAD') return `${head}content-length: ${echo.length}\r\n\r\n`;
  if (n % 2 === 0) return `${head}content-length: ${echo.length}\r\n\r\n${echo}`;
  return `${head}transfer-encoding: chunked\r\n\r\n${echo.length.toString(16)}\r\n${echo}\r\n0\r\n\r\n`;
}
