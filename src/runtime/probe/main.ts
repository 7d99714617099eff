import { text } from 'node:stream/consumers';
import type { ProbeRequest } from '../runtime.js';
import { ask } from './ask.js';

/**
 * One request from inside a workload: reads a ProbeRequest from its argument (or, without one, from standard input) and
 * prints a ProbeResult as one line.
 */
async function main(): Promise<void> {
  const probe = JSON.parse(process.argv[2] ?? (await text(process.stdin))) as ProbeRequest;
  process.stdout.write(`${JSON.stringify(await ask(probe))}\n`);
}

void main();
