import type { MeshClient } from '../../../src/client/mesh-client.js';
import type { MeshEvent } from '../../../src/protocol/api-types.js';
import { EXPLANATION, INNER, RETRIED, SAMPLE_EVENTS } from './sample.js';

/** A client without a mesh: tells the sample's events, remembers what it was asked. */
export class FakeMesh {
  readonly calls: { readonly name: string; readonly request: unknown }[] = [];
  /** Streams that were opened, whatever became of them. */
  streams = 0;
  /** Error that the next calls and streams end with. */
  refuse: string | null = null;
  #break: () => void = () => {};

  get client(): Pick<MeshClient, 'call' | 'events'> {
    return { call: this.#call as unknown as MeshClient['call'], events: (signal) => this.#events(signal) };
  }

  /** Ends the stream that is open. */
  breakStream(): void {
    this.#break();
  }

  readonly #call = async (name: string, request: unknown): Promise<unknown> => {
    this.calls.push({ name, request });
    if (this.refuse !== null) throw new Error(this.refuse);
    const { requestId, traceId } = RETRIED;
    if (name === 'trace') return { requestId, traceId, exchanges: [RETRIED, INNER] };
    return name === 'explain' ? EXPLANATION : {};
  };

  async *#events(signal?: AbortSignal): AsyncGenerator<MeshEvent, void, void> {
    this.streams += 1;
    if (this.refuse !== null) throw new Error(this.refuse);
    yield* SAMPLE_EVENTS;
    await new Promise<void>((resolve) => {
      this.#break = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
