import type { LoadStatus } from '../protocol/api-types.js';
import type { LoadReport } from '../protocol/control-stream.js';
import type { WorkloadStream } from './distribution/stream-server.js';

/** What the traffic generator is to send, and what it says it did. */
export class LoadSettings {
  #rps: number;
  #paths: readonly string[];
  #counts = { sent: 0, ok: 0, failed: 0, missed: 0 };
  #stream: WorkloadStream | null = null;

  constructor(rps: number, paths: readonly string[]) {
    this.#rps = rps;
    this.#paths = paths;
  }

  get status(): LoadStatus {
    return { rps: this.#rps, paths: this.#paths, ...this.#counts };
  }

  set(change: { readonly rps?: number | undefined; readonly paths?: readonly string[] | undefined }): void {
    this.#rps = change.rps ?? this.#rps;
    this.#paths = change.paths ?? this.#paths;
    this.#send();
  }

  attach(stream: WorkloadStream): void {
    this.#stream = stream;
    this.#send();
  }

  detach(stream: WorkloadStream): void {
    if (this.#stream === stream) this.#stream = null;
  }

  close(): void {
    this.#stream?.close();
  }

  count({ sent, ok, failed, missed }: LoadReport): void {
    const counts = this.#counts;
    this.#counts = {
      sent: counts.sent + sent,
      ok: counts.ok + ok,
      failed: counts.failed + failed,
      missed: counts.missed + missed,
    };
  }

  #send(): void {
    this.#stream?.send({ type: 'load', load: { rps: this.#rps, paths: this.#paths } });
  }
}
