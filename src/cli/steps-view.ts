import type { StepReport } from '../protocol/keeper-messages.js';
import { formatMs, type Output } from './output.js';

/** Shows the steps of `up` with their times: one line each, the running one rewritten on a terminal; NDJSON with `json`. */
export class StepsView {
  readonly #output: Output;
  readonly #json: boolean;
  readonly #live: boolean;

  constructor(output: Output, json: boolean) {
    this.#output = output;
    this.#json = json;
    this.#live = !json && process.stderr.isTTY === true;
  }

  step(step: StepReport): void {
    if (this.#json) this.#output.print(JSON.stringify({ type: 'step', ...step, ms: Math.round(step.ms) }));
    else if (step.state === 'done' || step.state === 'failed') this.#finished(step);
    else if (this.#live)
      this.#output.sayOver(`  … ${step.name.padEnd(14)} ${step.text}`.slice(0, (process.stderr.columns ?? 80) - 1));
  }

  #finished({ name, state, text, ms }: StepReport): void {
    const mark = state === 'done' ? this.#output.style('green', '✓') : this.#output.style('red', '✗');
    const line = `  ${mark} ${name.padEnd(14)} ${this.#output.style('dim', formatMs(ms).padStart(7))}  ${state === 'done' ? text : ''}`;
    if (this.#live) this.#output.sayOver(`${line.trimEnd()}\n`);
    else this.#output.say(line.trimEnd());
  }
}
