import type { MeshClient } from '../client/mesh-client.js';
import type { Clock } from '../platform/clock.js';
import type { Action } from './store/actions.js';

const RECONNECT_MS = 500;
/** The control plane sends figures every second; a stream that is open but silent is a control plane that hangs. */
const SILENCE_MS = 5000;

/** Follows the mesh's events until `signal` aborts; a control plane that is away is asked again and again. */
export async function follow(
  client: Pick<MeshClient, 'events'>,
  clock: Clock,
  dispatch: (action: Action) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await once(client, clock, dispatch, signal);
    if (signal.aborted) return;
    dispatch({ type: 'disconnected', now: clock.now() });
    await pause(clock, signal);
  }
}

/** One stream, until it ends in whatever way; why it ended is of no use to the user, that it did is. */
async function once(
  client: Pick<MeshClient, 'events'>,
  clock: Clock,
  dispatch: (action: Action) => void,
  signal: AbortSignal,
): Promise<void> {
  const stream = new AbortController();
  const events = client.events(AbortSignal.any([signal, stream.signal]));
  let connected = false;
  for (;;) {
    const silence = clock.after(SILENCE_MS, () => stream.abort());
    const next = await events.next().catch(() => null);
    silence.cancel();
    if (next === null || next.done || signal.aborted) return;
    if (!connected) dispatch({ type: 'connected', now: clock.now() });
    connected = true;
    dispatch({ type: 'event', event: next.value });
  }
}

/** Leaves no listener behind: an evening without a control plane is many thousand pauses. */
function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(RECONNECT_MS, finish);
    signal.addEventListener('abort', finish);
  });
}
