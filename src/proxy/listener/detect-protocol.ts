import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../platform/clock.js';

/** What a connection turns out to be; `closed`: the peer went before it could be told. */
export type Detected = 'http' | 'tcp' | 'closed';

/**
 * Reads what a connection begins with until it can be told what it is, and puts it back. A request line of HTTP/1.1 is
 * HTTP; everything else is bytes, HTTP/1.0 and HTTP/2 among it (as Envoy's inspector and Istio's listeners have it). Who
 * says nothing is waited for; after `timeoutMs` it is bytes (Linkerd), 0 = never (Istio).
 */
export function detectProtocol(
  socket: Socket | TLSSocket,
  clock: Clock,
  timeoutMs: number,
  onDetected: (what: Detected) => void,
): void {
  const timer = timeoutMs === 0 ? null : clock.after(timeoutMs, () => settle('tcp'));
  let seen: Buffer | null = null;
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = seen === null ? chunk : Buffer.concat([seen, chunk]);
    const told = protocolIn(seen);
    if (told !== null) settle(told);
  };
  // Half a line and no more: whoever is behind may make something of it.
  const onEnd = (): void => settle(seen === null ? 'closed' : 'tcp');
  const onClose = (): void => settle('closed');
  const settle = (what: Detected): void => {
    timer?.cancel();
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    socket.off('close', onClose);
    if (seen !== null && what !== 'closed') socket.unshift(seen);
    onDetected(what);
  };
  socket.on('readable', onReadable);
  socket.on('end', onEnd);
  socket.on('close', onClose);
}

/** Longest request line that is waited for, bytes. */
const LONGEST_LINE = 8 * 1024;
/** Longest method that is waited for. */
const LONGEST_METHOD = 32;

const LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~\x80-\xff]+ HTTP\/1\.1\r?$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/;

/** Null = it may become either still. */
export function protocolIn(bytes: Buffer): 'http' | 'tcp' | null {
  const start = bytes.subarray(0, LONGEST_LINE).toString('latin1');
  const end = start.indexOf('\n');
  if (end >= 0) return LINE.test(start.slice(0, end)) ? 'http' : 'tcp';
  const space = start.indexOf(' ');
  const method = space < 0 ? start : start.slice(0, space);
  if (!TOKEN.test(method) || method.length > LONGEST_METHOD || space === 0) return 'tcp';
  return bytes.length >= LONGEST_LINE ? 'tcp' : null;
}
