import type { PartName, SandboxHost } from '../runtime/runtime.js';

/** Longest line that is repeated, characters. */
const LONGEST = 600;

/** The last line that a part wrote, cut where it gets too long; '' when there is none to be had. */
export async function lastWords(host: Pick<SandboxHost, 'logs'>, part: PartName): Promise<string> {
  let words = '';
  try {
    for await (const line of host.logs(part, { tail: 1, follow: false })) words = line.slice(0, LONGEST);
  } catch {
    // No log: then the caller has nothing to add.
  }
  return words;
}
