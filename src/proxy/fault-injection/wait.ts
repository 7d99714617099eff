import type { Clock } from '../../platform/clock.js';
import type { Call } from '../pipeline/call.js';

/** An injected pause: counted as waiting, ended early by whoever cancels the call. */
export function wait(ms: number, call: Call, clock: Clock): Promise<void> {
  const started = clock.monotonic();
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      call.record.queueMs += clock.monotonic() - started;
      call.active = null;
      resolve();
    });
    call.active = {
      abort: (error) => {
        timer.cancel();
        reject(error);
      },
    };
  });
}
