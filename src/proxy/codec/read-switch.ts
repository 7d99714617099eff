import type { Socket } from 'node:net';

/**
 * Stops and resumes the reading of a socket for the sake of a body. Stopping is only wished for until {@link apply}, after
 * a whole read was digested: most bodies are complete by then, and the socket never notices.
 */
export class ReadSwitch {
  readonly #socket: Socket;
  #wished = false;
  #stopped = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  stop(): void {
    this.#wished = true;
  }

  resume(): void {
    this.#wished = false;
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#socket.resume();
  }

  /** Stops the socket if that is still wished for. */
  apply(): void {
    if (!this.#wished || this.#stopped) return;
    this.#stopped = true;
    this.#socket.pause();
  }
}
