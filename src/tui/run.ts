import type { Readable, Writable } from 'node:stream';
import type { MeshClient } from '../client/mesh-client.js';
import type { Clock } from '../platform/clock.js';
import { onEndingSignal, terminalFacts } from '../platform/terminal.js';
import { Controller, type Outcome } from './controller.js';
import { BlessedDriver } from './driver/blessed-driver.js';
import { themeOf } from './theme.js';

export interface TuiOptions {
  readonly client: MeshClient;
  readonly sandboxName: string;
  /** The sandbox was brought up by this program: leaving asks what becomes of it. */
  readonly owned: boolean;
  readonly clock: Clock;
  readonly input?: Readable;
  readonly output?: Writable;
  /** Default: ASCII when the locale is not UTF-8. */
  readonly ascii?: boolean;
  /** Default: colour unless NO_COLOR is set. */
  readonly color?: boolean;
}

/** Why the terminal cannot show screens; null = it can. To be asked before {@link runTui}. */
export function terminalProblem(input = process.stdin, output = process.stdout): string | null {
  if (!input.isTTY || !output.isTTY) return 'the terminal screens need a terminal for input and output';
  return terminalFacts().term === 'dumb' ? 'TERM=dumb: this terminal cannot show screens' : null;
}

/**
 * Shows the mesh until the user leaves: `detach` keeps the sandbox running, `down` asks the caller to bring it down.
 * A signal detaches: nobody asked for the sandbox to go.
 */
export async function runTui(options: TuiOptions): Promise<Outcome> {
  const { client, sandboxName, owned, clock } = options;
  const facts = terminalFacts();
  const ascii = options.ascii ?? !facts.utf8;
  const driver = new BlessedDriver({
    input: options.input ?? process.stdin,
    output: options.output ?? process.stdout,
    term: facts.term,
    ascii,
    color: options.color ?? !facts.noColor,
  });
  const controller = new Controller({ client, driver, clock, theme: themeOf(ascii), sandboxName, owned });
  const forget = onEndingSignal(() => controller.leave('detach'));
  try {
    return await controller.run();
  } finally {
    forget();
  }
}
