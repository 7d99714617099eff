import { connect } from 'node:net';
import type { Clock, Timer } from '../../platform/clock.js';

/** Between two looks, ms: quick until the app listens, calm afterwards. */
const PERIOD = { waiting: 40, ready: 1_000 } as const;

/** Watches whether the app accepts connections on its ports, and tells when that changes. */
export class AppProbe {
  ready: boolean;
  readonly #ports: readonly number[];
  readonly #clock: Clock;
  readonly #onChange: (ready: boolean) => void;
  #timer: Timer | null = null;
  #closed = false;

  constructor(ports: readonly number[], clock: Clock, onChange: (ready: boolean) => void) {
    this.#ports = ports;
    this.#clock = clock;
    this.#onChange = onChange;
    // Without ports there is nothing to wait for.
    this.ready = ports.length === 0;
  }

  start(): void {
    if (this.#ports.length > 0) void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const answers = await Promise.all(this.#ports.map(accepts));
    if (this.#closed) return;
    const ready = answers.every(Boolean);
    if (ready !== this.ready) {
      this.ready = ready;
      this.#onChange(ready);
    }
    this.#timer = this.#clock.after(ready ? PERIOD.ready : PERIOD.waiting, () => void this.#look());
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
