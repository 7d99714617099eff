import type Dockerode from 'dockerode';
import { sleep, systemClock } from '../../platform/clock.js';
import type { PartExit } from '../runtime.js';
import { LABEL } from './labels.js';

interface EngineEvent {
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

/** Calls back when a container of the filter ends. Connects again when the stream breaks, until it is closed. */
export async function watchExits(
  docker: Dockerode,
  filter: { label: string[] },
  onExit: (exit: PartExit) => void,
): Promise<{ close(): void }> {
  let closed = false;
  let current: NodeJS.ReadableStream | null = null;
  const connect = async (): Promise<void> => {
    current = await docker.getEvents({ filters: { type: ['container'], event: ['die'], ...filter } });
    void follow(current, onExit).then(async () => {
      while (!closed) {
        await sleep(systemClock, 500);
        if (
          await connect().then(
            () => true,
            () => false,
          )
        )
          return;
      }
    });
  };
  await connect();
  return {
    close: () => {
      closed = true;
      (current as { destroy?(): void } | null)?.destroy?.();
    },
  };
}

async function follow(stream: NodeJS.ReadableStream, onExit: (exit: PartExit) => void): Promise<void> {
  let pending = '';
  try {
    for await (const chunk of stream) {
      const lines = (pending + String(chunk)).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        const exit = exitOf(line);
        if (exit !== null) onExit(exit);
      }
    }
  } catch {
    // The engine went away or we closed the stream; the caller connects again.
  }
}

function exitOf(line: string): PartExit | null {
  if (line.trim() === '') return null;
  const attributes = (JSON.parse(line) as EngineEvent).Actor?.Attributes ?? {};
  const part = attributes[LABEL.part] ?? '';
  if (part === '' || part.endsWith('/init')) return null;
  const code = Number(attributes['exitCode'] ?? 0);
  const signal = code === 137 ? 'SIGKILL' : code === 143 ? 'SIGTERM' : null;
  return { part: part.replace(/\/pause$/, '/pod'), code: signal === null ? code : null, signal };
}
