import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../platform/clock.js';

/** How often in its time an idle connection is looked at. */
const LOOKS = 8;

/** Calls back once when no byte went either way for so long (ms), soon after; 0 = never. Ends with the socket. */
export function onIdle(socket: Socket, idleMs: number, clock: Clock, idle: () => void): void {
  if (idleMs === 0) return;
  let bytes = -1;
  let quiet = 0;
  let timer: Timer;
  const look = (): void => {
    const now = socket.bytesRead + socket.bytesWritten;
    quiet = now === bytes ? quiet + 1 : 0;
    bytes = now;
    if (quiet === LOOKS) return idle();
    timer = clock.after(idleMs / LOOKS, look);
  };
  look();
  socket.once('close', () => timer.cancel());
}
