import type Dockerode from 'dockerode';

/** Lines of a container's output, the last `tail` first; with `follow` also what comes, until the signal aborts. */
export async function* containerLogs(
  container: Dockerode.Container,
  { tail, follow, signal }: { tail: number; follow: boolean; signal?: AbortSignal },
): AsyncGenerator<string, void, void> {
  const options = { stdout: true, stderr: true, tail };
  if (!follow) {
    const output = (await container.logs({ ...options, follow: false })) as unknown as Buffer;
    yield* linesOf(demultiplex(output).text);
    return;
  }
  const stream = await container.logs({ ...options, follow: true });
  signal?.addEventListener('abort', () => (stream as { destroy?(): void }).destroy?.(), { once: true });
  let rest: Buffer = Buffer.alloc(0);
  let pending = '';
  try {
    for await (const chunk of stream) {
      const { text, left } = demultiplex(Buffer.concat([rest, chunk as Buffer]));
      rest = left;
      const lines = (pending + text).split('\n');
      pending = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** Everything a container has said, as one text. */
export async function logText(
  container: Dockerode.Container,
  only: 'stdout' | 'stderr' | null = null,
): Promise<string> {
  const options = { stdout: only !== 'stderr', stderr: only !== 'stdout', follow: false } as const;
  const output = (await container.logs(options)) as unknown as Buffer;
  return demultiplex(output).text.trim();
}

/** The engine's framing of output without a terminal: 8 bytes of header (stream, size) before each piece. */
export function demultiplex(data: Buffer): { text: string; left: Buffer } {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at + 8 <= data.length) {
    const size = data.readUInt32BE(at + 4);
    if (at + 8 + size > data.length) break;
    pieces.push(data.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return { text: Buffer.concat(pieces).toString('utf8'), left: data.subarray(at) };
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}
