import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:http';

/** What an app must hand on so that a mesh can connect its calls: ids and trace context, and who is signed in. */
const PROPAGATED = [
  'x-request-id',
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'x-ot-span-context',
  'x-datadog-trace-id',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'x-cloud-trace-context',
  'grpc-trace-bin',
  'sw8',
  'end-user',
  'user-agent',
  'cookie',
  'authorization',
  'jwt',
];

export function propagated(headers: IncomingHttpHeaders): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of PROPAGATED) {
    const value = headers[name];
    if (typeof value === 'string') out[name] = value;
  }
  return out;
}

/** An answer of another service; status 0 = none came. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Gives idle connections up before the other side does (5 s in Node.js), so that none is reused as it closes. */
const agent = new Agent({ keepAlive: true, timeout: 4_000 });

/** GET as JSON. Never rejects: a page must be shown whatever happens below. */
export async function getJson(url: string, headers: Record<string, string>, timeoutMs: number): Promise<Answer> {
  try {
    return await send(url, headers, timeoutMs);
  } catch (error) {
    // An address that is no URL: whoever configured it must be told, but the page is shown all the same.
    console.error(`cannot call ${url}: ${error instanceof Error ? error.message : String(error)}`);
    return { status: 0, body: null };
  }
}

function send(url: string, headers: Record<string, string>, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }));
      response.on('error', () => resolve({ status: 0, body: null }));
    });
    const timer = setTimeout(() => outgoing.destroy(), timeoutMs);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('error', () => resolve({ status: 0, body: null }));
    outgoing.end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
