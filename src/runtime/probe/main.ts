import { text } from 'node:stream/consumers';
import type { ProbeRequest } from '../runtime.js';
import { ask } from './ask.js';

/**
 * Requests from inside a workload: reads a ProbeRequest from its argument (or, without one, from standard input) and prints
 * a ProbeResult as one line for each.
 */
async function main(): Promise<void> {
  const probe = JSON.parse(process.argv[2] ?? (await text(process.stdin))) as ProbeRequest;
  for (const one of each(probe)) process.stdout.write(`${JSON.stringify(await ask(one))}\n`);
}

function each(probe: ProbeRequest): ProbeRequest[] {
  const { times = 1, headers } = probe;
  if (times === 1) return [probe];
  return Array.from({ length: times }, (_, i) => ({
    ...probe,
    headers: headers.map(([name, value]) => [name, name === 'x-request-id' ? `${value}/${i}` : value] as const),
  }));
}

void main();
