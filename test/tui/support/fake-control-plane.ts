import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EVENTS_PATH } from '../../../src/protocol/api.js';
import type { MeshEvent } from '../../../src/protocol/api-types.js';
import { EXPLANATION, INNER, RETRIED, SAMPLE_EVENTS } from './sample.js';

/** The public API over a real socket with nothing behind it: the sample's events, and a record of what was asked. */
export class FakeControlPlane {
  readonly asked: string[] = [];
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));
  readonly #streams = new Set<ServerResponse>();

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  send(event: MeshEvent): void {
    for (const stream of this.#streams) stream.write(asSse(event));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    if (path === EVENTS_PATH) return this.#stream(response);
    this.asked.push(`${request.method} ${path}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answerTo(path)));
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    for (const event of SAMPLE_EVENTS) response.write(asSse(event));
  }
}

function answerTo(path: string): unknown {
  const { requestId, traceId } = RETRIED;
  if (path.startsWith('/api/v1/traces/')) return { requestId, traceId, exchanges: [RETRIED, INNER] };
  return path.startsWith('/api/v1/explain/') ? EXPLANATION : {};
}

function asSse(event: MeshEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
