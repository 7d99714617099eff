import type { IncomingMessage } from 'node:http';
import {
  type ApiError,
  EVENTS_PATH,
  OPERATIONS,
  type OperationName,
  type RequestOf,
  type ResponseOf,
} from '../protocol/api.js';
import type { MeshEvent } from '../protocol/api-types.js';

/** Where a control plane's public API is, and the token that opens it. */
export interface MeshAddress {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly token: string;
}

/** An answer of the API that is not 2xx, or no answer at all (`status` 0). */
export class MeshApiError extends Error {
  readonly status: number;
  readonly hint: string;
  constructor(message: string, status: number, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MeshApiError';
    this.status = status;
    this.hint = hint;
  }
}

/**
 * The one door to a running mesh: CLI, TUI, lessons and test library all come through here. One method per row of the
 * operations table; rejects with {@link MeshApiError}.
 */
export class MeshClient {
  readonly #address: MeshAddress;

  constructor(address: MeshAddress) {
    this.#address = address;
  }

  /** Calls one operation. `timeoutMs` (default 10 s) bounds the whole call. */
  async call<N extends OperationName>(name: N, request: RequestOf<N>, timeoutMs = 10_000): Promise<ResponseOf<N>> {
    const { method, path } = OPERATIONS[name];
    const fields = new Map(Object.entries(request as Record<string, unknown>));
    let target = path.replace(/:(\w+)/g, (_, field: string) => {
      const value = fields.get(field);
      fields.delete(field);
      return encodeURIComponent(String(value));
    });
    const inBody = method === 'POST' || method === 'PUT';
    if (!inBody) target += queryOf(fields);
    const body = inBody ? JSON.stringify(Object.fromEntries(fields)) : null;
    const response = await this.#send(method, target, body, timeoutMs);
    const text = await readAll(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw apiError(status, text);
    return JSON.parse(text) as ResponseOf<N>;
  }

  /** Events as they happen, until `signal` aborts or the connection ends. Starts with the present state. */
  async *events(signal?: AbortSignal): AsyncGenerator<MeshEvent, void, void> {
    const response = await this.#send('GET', EVENTS_PATH, null, 0, signal);
    if (response.statusCode !== 200) throw apiError(response.statusCode ?? 0, await readAll(response));
    response.setEncoding('utf8');
    let pending = '';
    try {
      for await (const chunk of response) {
        pending += chunk as string;
        for (let end = pending.indexOf('\n\n'); end >= 0; end = pending.indexOf('\n\n')) {
          const data = /^data: (.*)$/m.exec(pending.slice(0, end))?.[1];
          pending = pending.slice(end + 2);
          if (data !== undefined) yield JSON.parse(data) as MeshEvent;
        }
      }
    } catch (error) {
      if (signal?.aborted) return;
      throw new MeshApiError('the control plane closed the event stream', 0, '', { cause: error });
    }
  }

  /** Prometheus text. */
  async prometheus(): Promise<string> {
    return readAll(await this.#send('GET', '/metrics', null, 10_000));
  }

  async #send(
    method: string,
    path: string,
    body: string | null,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const url = new URL(path, this.#address.url);
    // Loaded on first use: commands that only print help do not pay for it.
    const { request: httpRequest } = await import('node:http');
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        url,
        {
          method,
          agent: false,
          ...(signal ? { signal } : {}),
          ...(timeoutMs > 0 ? { timeout: timeoutMs } : {}),
          headers: {
            authorization: `Bearer ${this.#address.token}`,
            ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          },
        },
        resolve,
      );
      request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      request.on('error', (cause) => {
        reject(
          new MeshApiError(`the control plane at ${this.#address.url} does not answer: ${cause.message}`, 0, '', {
            cause,
          }),
        );
      });
      request.end(body ?? undefined);
    });
  }
}

function queryOf(fields: ReadonlyMap<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk as string;
  return text;
}

function apiError(status: number, text: string): MeshApiError {
  try {
    const { error } = JSON.parse(text) as ApiError;
    return new MeshApiError(error.message, status, error.hint);
  } catch {
    return new MeshApiError(`the control plane answered ${status}`, status, '');
  }
}
