import type { Clock } from '../platform/clock.js';
import type { StepReport } from '../protocol/keeper-messages.js';
import type { Runtime } from '../runtime/runtime.js';

/** A step of a long operation: what it is called, what it does; it returns what to say when it is done. */
export interface Step {
  readonly name: string;
  readonly run: (progress: (text: string) => void) => Promise<string>;
}

/** Runs steps one after the other and tells each one's state and time. Rejects with the first failure. */
export async function runSteps(
  steps: readonly Step[],
  clock: Clock,
  report: (step: StepReport) => void,
): Promise<void> {
  for (const { name, run } of steps) {
    const started = clock.monotonic();
    const tell = (state: StepReport['state'], text: string): void => {
      report({ name, state, text, ms: clock.monotonic() - started });
    };
    tell('started', '');
    try {
      tell('done', await run((text) => tell('progress', text)));
    } catch (error) {
      tell('failed', error instanceof Error ? error.message : String(error));
      throw error;
    }
  }
}

/** What every sandbox starts with, with a mesh or without: the image, then the network. */
export function groundSteps(runtime: Runtime, openNetwork: () => Promise<void>): Step[] {
  return [
    { name: 'image', run: (progress) => runtime.prepare(progress) },
    {
      name: 'network',
      run: async () => {
        await openNetwork();
        return runtime.kind === 'docker' ? 'a network of its own' : 'loopback ports';
      },
    },
  ];
}
