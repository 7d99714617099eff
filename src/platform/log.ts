import pino, { type DestinationStream } from 'pino';

/** What programs log: an object of facts, then a sentence. Written to standard output as JSON lines. */
export interface Log {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

/** What cannot be written (a full disk, a reader that went away) is kept up to this size and then dropped, bytes. */
const UNWRITTEN = 256 * 1024;

/**
 * A log of one program. Synchronous, no worker: the last line before a crash is there. A log that cannot be
 * written never ends the program. `MESH_LOG_LEVEL` sets the level.
 */
export function programLog(component: string): Log {
  return pino(
    {
      level: process.env['MESH_LOG_LEVEL'] ?? 'info',
      base: { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination(),
  );
}

function destination(): DestinationStream {
  const stream = pino.destination({ fd: 1, sync: true, maxLength: UNWRITTEN });
  stream.on('error', () => {});
  return stream;
}
