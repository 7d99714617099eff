import pino from 'pino';

/** What programs log: an object of facts, then a sentence. Written to standard output as JSON lines. */
export interface Log {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

/** A log of one program. Synchronous, no worker: the last line before a crash is there. `MESH_LOG_LEVEL` sets the level. */
export function programLog(component: string): Log {
  return pino(
    {
      level: process.env['MESH_LOG_LEVEL'] ?? 'info',
      base: { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 1, sync: true }),
  );
}
