import type { Server } from 'node:net';
import type { Clock } from '../platform/clock.js';
import type { Sockets } from './servers.js';
import type { Sidecar } from './sidecar.js';

export interface DrainParts {
  readonly sidecar: Sidecar;
  readonly sockets: Sockets;
  readonly servers: readonly Server[];
  readonly clock: Clock;
  /** Tells the control plane that nobody should be sent here any more. */
  readonly sayGoodbye: () => void;
  /** Everything else of the program ends. */
  readonly onDrained: () => void;
}

/** So long must no request be under way before the doors close: callers need a moment to hear that we are going, ms. */
const QUIET_MS = 250;
const LOOK_MS = 20;

/**
 * Goes without losing a request: callers are told to look elsewhere, answers ask them to close their connections, what is
 * under way finishes, and only then nobody is let in any more. Takes at most `ms`; with 0 everything ends now.
 */
export function drain(
  { sidecar, sockets, servers, clock, sayGoodbye, onDrained }: DrainParts,
  ms: number,
): Promise<void> {
  const deadline = clock.monotonic() + ms;
  sidecar.drain();
  sayGoodbye();
  return new Promise((resolve) => {
    const finish = (): void => {
      for (const server of servers) server.close();
      onDrained();
      sidecar.close();
      sockets.destroyAll();
      resolve();
    };
    let quietSince = clock.monotonic();
    const look = (): void => {
      const now = clock.monotonic();
      if (sidecar.inFlight > 0) quietSince = now;
      const quiet = sockets.size === 0 || now - quietSince >= QUIET_MS;
      if ((quiet && sidecar.inFlight === 0) || now >= deadline) finish();
      else clock.after(LOOK_MS, look);
    };
    look();
  });
}
