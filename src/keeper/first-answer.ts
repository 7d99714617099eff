import { get } from 'node:http';
import { type Clock, sleep } from '../platform/clock.js';
import { SandboxError } from '../runtime/runtime.js';

/** Asks until an answer below 500 comes; resolves with its status. Rejects with SandboxError after `patienceMs`. */
export async function firstAnswer(url: string, clock: Clock, patienceMs: number): Promise<number> {
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const status = await statusOf(url);
    if (status > 0 && status < 500) return status;
    if (clock.monotonic() > deadline) {
      const what = status === 0 ? 'no answer' : `only ${status}`;
      throw new SandboxError(`${url} gave ${what} for ${patienceMs / 1000} s`, ['mesh-sandbox explain last']);
    }
    await sleep(clock, 20);
  }
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(0));
  });
}
