import { sleep, systemClock } from '../platform/clock.js';
import { isRunning } from '../platform/process-info.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Home, SandboxState } from './home.js';

/** How long the keeper may take to undo everything before we do it ourselves, ms. */
const KEEPER_PATIENCE_MS = 20_000;

/**
 * Takes a sandbox down: lets the keeper do it if it lives, then removes by labels and process records whatever is left.
 * Idempotent; works after any crash. Returns what had to be removed here.
 */
export async function down(
  home: Home,
  state: SandboxState,
  runtime: Runtime,
  now: () => number,
): Promise<readonly string[]> {
  const { keeper } = state;
  if (keeper !== null && isRunning(keeper)) {
    signal(keeper.pid, 'SIGTERM');
    const deadline = now() + KEEPER_PATIENCE_MS;
    while (isRunning(keeper) && now() < deadline) await sleep(systemClock, 20);
    if (isRunning(keeper)) signal(keeper.pid, 'SIGKILL');
  }
  const removed = await runtime.remove(state, home.directoryOf(state.name));
  home.forget(state.name);
  return removed;
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in the meantime.
  }
}
