import { request } from 'node:http';
import type { ProbeRequest } from '../runtime.js';

/** Longest body that is shown, bytes. */
const BODY_LIMIT = 64 * 1024;

/** What the probe prints: one line of JSON. */
export interface ProbeResult {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly truncated: boolean;
  readonly error: string | null;
}

/** One request from inside a workload: reads a ProbeRequest from its argument, prints a ProbeResult. */
function main(): void {
  const probe = JSON.parse(process.argv[2] ?? '{}') as ProbeRequest;
  const outgoing = request(probe.url, {
    method: probe.method,
    agent: false,
    timeout: probe.timeoutMs,
    // Given as a list, headers are sent as they are, and Node adds no Host of its own.
    headers: [...hostField(probe), ...probe.headers.flat()],
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${probe.timeoutMs} ms`)));
  outgoing.on('error', (error) => print({ status: 0, headers: [], body: '', truncated: false, error: error.message }));
  outgoing.on('response', (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    const finish = (error: string | null) => (): void => {
      const body = Buffer.concat(chunks);
      const headers = pairs(response.rawHeaders);
      const truncated = body.length > BODY_LIMIT;
      print({
        status: response.statusCode ?? 0,
        headers,
        body: body.subarray(0, BODY_LIMIT).toString('utf8'),
        truncated,
        error,
      });
    };
    response.on('end', finish(null));
    response.on('error', finish('the answer broke off'));
  });
  outgoing.end(probe.body ?? undefined);
}

function hostField({ url, headers }: ProbeRequest): string[] {
  return headers.some(([name]) => name.toLowerCase() === 'host') ? [] : ['host', new URL(url).host];
}

let printed = false;

function print(result: ProbeResult): void {
  if (printed) return;
  printed = true;
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([flat[i] as string, flat[i + 1] as string]);
  return found;
}

main();
