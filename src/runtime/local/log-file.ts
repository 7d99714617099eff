import { once } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SandboxError } from '../runtime.js';

export interface LogOptions {
  readonly tail: number;
  readonly follow: boolean;
  readonly signal?: AbortSignal;
}

/** Lines of a log file, the last `tail` of them first; with `follow` also what comes, until the signal aborts. */
export async function* readLog(path: string, { tail, follow, signal }: LogOptions): AsyncGenerator<string, void, void> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new SandboxError('this part has written no log yet', ['mesh-sandbox status'], { cause });
  }
  const watcher = watch(path);
  try {
    let pending = await readRest(file);
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    yield* lines.slice(-tail);
    while (follow && !signal?.aborted) {
      await changed(watcher, signal);
      const parts = (pending + (await readRest(file))).split('\n');
      pending = parts.pop() ?? '';
      yield* parts;
    }
    if (pending !== '') yield pending;
  } finally {
    watcher.close();
    await file.close();
  }
}

async function readRest(file: FileHandle): Promise<string> {
  const chunks: Buffer[] = [];
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024));
    if (bytesRead === 0) return Buffer.concat(chunks).toString('utf8');
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

async function changed(watcher: FSWatcher, signal: AbortSignal | undefined): Promise<void> {
  try {
    await once(watcher, 'change', signal === undefined ? {} : { signal });
  } catch {
    // Aborted: the loop looks at the signal.
  }
}
