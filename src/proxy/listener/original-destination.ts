import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

export interface Destination {
  readonly address: string;
  readonly port: number;
}

/** Tells where a redirected connection was going, or null when the kernel does not know. */
export type OriginalDestination = (socket: Socket) => Destination | null;

const SOL_IP = 0;
const SO_ORIGINAL_DST = 80;
const SOCKADDR_IN = 16;

/**
 * Reads `SO_ORIGINAL_DST` with `getsockopt(2)` through koffi: Node has no API for it. About 3 µs, once per connection.
 * Throws when the native library is missing: a sidecar that cannot tell must not start.
 */
export function loadOriginalDestination(): OriginalDestination {
  const getsockopt = loadGetsockopt();
  const address = Buffer.alloc(SOCKADDR_IN);
  const length = Buffer.alloc(4);
  return (socket) => {
    const fd = descriptorOf(socket);
    if (fd < 0) return null;
    length.writeInt32LE(SOCKADDR_IN, 0);
    if (getsockopt(fd, SOL_IP, SO_ORIGINAL_DST, address, length) !== 0) return null;
    return {
      address: `${address[4]}.${address[5]}.${address[6]}.${address[7]}`,
      port: address.readUInt16BE(2),
    };
  };
}

type Getsockopt = (fd: number, level: number, name: number, value: Buffer, length: Buffer) => number;

function loadGetsockopt(): Getsockopt {
  const require = createRequire(__filename);
  const koffi = require('koffi') as { load(path: string | null): { func(signature: string): Getsockopt } };
  return koffi
    .load(null)
    .func('int getsockopt(int fd, int level, int name, _Inout_ uint8_t *value, _Inout_ uint8_t *length)');
}

/** The socket's file descriptor. `_handle.fd` is undocumented and stable on Node 18-26; -1 when it is not there. */
function descriptorOf(socket: Socket): number {
  const handle = (socket as unknown as { _handle?: { fd?: number } | null })._handle;
  return handle?.fd ?? -1;
}
