import { systemClock } from '../platform/clock.js';
import { SandboxError } from '../runtime/runtime.js';
import { down } from '../sandbox/down.js';
import type { SandboxState } from '../sandbox/home.js';
import { type Context, clientOf, runtimeOf } from './context.js';
import { printable } from './output.js';
import { tapLine } from './tap-line.js';

/**
 * The foreground of `up`: the terminal UI where there is a terminal, else a line per request, until Ctrl-C, which brings
 * the sandbox down.
 */
export async function watchSandbox(
  context: Context,
  state: SandboxState,
  options: { json: boolean; tui: boolean },
): Promise<void> {
  const { output } = context;
  const interactive = output.isTty && process.stdin.isTTY === true && options.tui && !options.json && state.mesh;
  if (interactive) {
    const choice = await openUi(context, state, true);
    if (choice === 'detach') {
      output.say(output.typed(`${state.name} goes on in the background; mesh-sandbox down removes it`));
      return;
    }
  } else {
    await untilInterrupted(context, state, options.json);
  }
  const started = systemClock.now();
  output.say('removing everything …');
  await down(context.home, state, await runtimeOf(state), systemClock.now);
  output.say(
    `${output.style('green', '✓')} ${state.name} is down (${((systemClock.now() - started) / 1000).toFixed(1)} s)`,
  );
}

/** Opens the terminal UI on a sandbox. */
export async function openUi(context: Context, state: SandboxState, owned: boolean): Promise<'detach' | 'down'> {
  const { runTui, terminalProblem } = await import('../tui/run.js');
  const problem = terminalProblem();
  if (problem !== null) throw new SandboxError(problem, ['mesh-sandbox tap', 'mesh-sandbox status']);
  return runTui({
    client: clientOf(state),
    sandboxName: state.name,
    owned,
    clock: systemClock,
    ...(context.output.color ? {} : { color: false }),
  });
}

async function untilInterrupted(context: Context, state: SandboxState, json: boolean): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, stop);
  if (!json) context.output.say('(Ctrl-C brings it down)');
  while (!controller.signal.aborted) {
    await follow(context, state, json, controller.signal).catch(() => {});
    if (!controller.signal.aborted) await aMoment(controller.signal);
  }
  for (const signal of signals) process.off(signal, stop);
}

async function follow(context: Context, state: SandboxState, json: boolean, signal: AbortSignal): Promise<void> {
  if (!state.mesh) return untilAborted(signal);
  let first = true;
  for await (const event of clientOf(state).events(signal)) {
    if (json) context.output.print(JSON.stringify(event));
    else if (event.type === 'exchanges') {
      // The first batch is history.
      if (!first) for (const exchange of event.exchanges) context.output.print(tapLine(exchange, context.output));
      first = false;
    } else if (event.type === 'notice') context.output.say(`• ${printable(event.notice.text)}`);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
    // Keeps the process alive while nothing else does.
    const timer = systemClock.after(2 ** 31 - 1, () => {});
    signal.addEventListener('abort', () => timer.cancel(), { once: true });
  });
}

function aMoment(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = systemClock.after(500, resolve);
    signal.addEventListener('abort', () => {
      timer.cancel();
      resolve();
    });
  });
}
