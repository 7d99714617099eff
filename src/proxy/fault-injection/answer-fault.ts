import type { AnswerFault } from '../../model/fault.js';
import type { Clock, Timer } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import { Body, type BodySink, type BodySource } from '../codec/body.js';
import type { FieldBlock } from '../codec/field-block.js';
import type { Call, Reply } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

export interface SickParts {
  readonly call: Call;
  readonly clock: Clock;
  readonly random: Random;
}

/** The answer with what a fault does to its body: slower, changed, cut, ended late. Its head stays as it is. */
export function sickAnswer(reply: Reply, fault: AnswerFault, parts: SickParts): Reply {
  if (reply.head.length === 0 || reply.tunnel !== null) return reply;
  const sick = new SickBody(reply.body, fault, parts);
  return { ...reply, body: sick.out };
}

/** How much of a slow body leaves at a time: a tenth of a second's worth. */
const SLICES_PER_SECOND = 10;

/** Stands between the app's body and the caller. Back-pressure passes through it. */
class SickBody implements BodySink, BodySource {
  readonly out: Body;
  readonly #in: Body;
  readonly #fault: AnswerFault;
  readonly #parts: SickParts;
  /** Index of the byte that is changed; -1 = none, or done. */
  #corruptAt: number;
  #passed = 0;
  #held: Buffer[] = [];
  #ended = false;
  #trailers: FieldBlock | null = null;
  #timer: Timer | null = null;
  #begun = false;

  constructor(body: Body, fault: AnswerFault, parts: SickParts) {
    this.#in = body;
    this.#fault = fault;
    this.#parts = parts;
    const within = body.length > 0 ? Math.min(body.length, 256) : 16;
    this.#corruptAt = fault.corrupt
      ? Math.floor(parts.random.decide(parts.call.record.requestId, 'corrupt byte') * within)
      : -1;
    this.out = new Body(body.length, this);
    this.#begin();
  }

  pauseBody(): void {}

  resumeBody(): void {
    if (this.#begun) this.#in.resume();
  }

  abandonBody(): void {
    this.#timer?.cancel();
    this.#held = [];
    this.#in.abandon();
  }

  onChunk(chunk: Buffer): boolean {
    this.#held.push(this.#corrupted(chunk));
    this.#move();
    return false;
  }

  onEnd(trailers: FieldBlock | null): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#move();
  }

  onError(error: ProxyError): void {
    this.#timer?.cancel();
    this.out.fail(error);
  }

  #begin(): void {
    this.#in.attach(this);
    this.#begun = true;
  }

  #corrupted(chunk: Buffer): Buffer {
    const at = this.#corruptAt - this.#passed - this.#held.reduce((sum, { length }) => sum + length, 0);
    if (this.#corruptAt < 0 || at >= chunk.length) return chunk;
    this.#corruptAt = -1;
    const copy = Buffer.from(chunk);
    copy[Math.max(0, at)] = (copy[Math.max(0, at)] as number) ^ 0x55;
    return copy;
  }

  /** Hands on what may go now, then waits where the fault says so. */
  #move(): void {
    if (this.#timer !== null || this.out.error !== null) return;
    const { bytesPerSecond, truncateAfter } = this.#fault;
    // An answer that ends late keeps its last byte: by its length it would be over otherwise.
    const kept = this.#fault.slowCloseMs === null || this.#fault.slowCloseMs === 0 ? 0 : 1;
    const waiting = Math.max(0, this.#held.reduce((sum, { length }) => sum + length, 0) - kept);
    const slice = bytesPerSecond === null ? waiting : Math.max(1, Math.floor(bytesPerSecond / SLICES_PER_SECOND));
    const room = truncateAfter === null ? waiting : Math.max(0, truncateAfter - this.#passed);
    const now = this.#take(Math.min(slice, room, waiting));
    if (now.length > 0) {
      this.#passed += now.length;
      this.out.push(now);
    }
    if (truncateAfter !== null && this.#passed >= truncateAfter && (waiting > now.length || truncateAfter === 0))
      return this.#cut();
    if (waiting > now.length || (bytesPerSecond !== null && now.length > 0)) {
      const ms = bytesPerSecond === null ? 0 : (now.length * 1000) / bytesPerSecond;
      this.#later(ms);
    } else if (this.#ended) this.#finish();
    else this.#in.resume();
  }

  #take(bytes: number): Buffer {
    const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = bytes < all.length ? [all.subarray(bytes)] : [];
    return all.subarray(0, bytes);
  }

  #later(ms: number): void {
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = null;
      this.#move();
    });
  }

  #finish(): void {
    const { slowCloseMs } = this.#fault;
    const end = (): void => {
      const rest = this.#take(Number.POSITIVE_INFINITY);
      if (rest.length > 0) this.out.push(rest, true);
      this.out.end(this.#trailers);
    };
    if (slowCloseMs === null || slowCloseMs === 0) return end();
    this.#timer = this.#parts.clock.after(slowCloseMs, end);
  }

  #cut(): void {
    this.#in.abandon();
    this.out.fail(new ProxyError('fault_reset', 'the answer was cut'));
  }
}
