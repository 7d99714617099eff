import { type Arrival, type DownstreamParts, newRecord } from './downstream.js';
import type { ExchangeRecord } from './pipeline/exchange-record.js';
import { asProxyError } from './pipeline/proxy-error.js';
import type { Stream } from './stream.js';
import { onIdle } from './tunnel/idle.js';
import { joinStreams } from './tunnel/join.js';

const EMPTY = Buffer.alloc(0);

/**
 * Passes a connection through as bytes: opens the other side (which fills the record with where it goes and how), joins
 * both, and records one exchange of kind `tcp` when they are closed.
 */
export function serveTcp(
  parts: DownstreamParts,
  arrival: Arrival,
  open: (record: ExchangeRecord) => Promise<Stream>,
): void {
  const record = newRecord(parts, arrival);
  record.kind = 'tcp';
  record.details = '';
  arrival.socket.pause();
  const finish = (): void => parts.recorder.record(record);
  open(record).then(
    ({ socket: upstream, idleMs }) => {
      if (arrival.socket.destroyed) upstream.destroy();
      record.connectMs = parts.clock.monotonic() - record.started;
      onIdle(arrival.tcp, idleMs, parts.clock, () => {
        record.details = 'idle_timeout';
        upstream.destroy();
      });
      joinStreams(arrival.socket, upstream, EMPTY, EMPTY, (bytes) => {
        record.requestBytes = bytes.fromA;
        record.responseBytes = bytes.fromB;
        finish();
      });
    },
    (thrown) => {
      record.fail(asProxyError(thrown).code);
      arrival.tcp.resetAndDestroy();
      finish();
    },
  );
}
