import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { listenerOf } from './port-listener.js';
import type { Runtime } from './runtime.js';
import { SandboxError } from './runtime.js';

/**
 * Where ports are looked for: below every system's range for outgoing connections, so that between looking and binding no
 * connection can take one by chance.
 */
const RANGE = { from: 15_000, to: 32_000 } as const;
const TRIES = 100;

/** Ports that this process gave away, to somebody who may not listen yet. */
const given = new Set<number>();

/** A port on 127.0.0.1 that was free a moment ago, and that this process gave to nobody; none of `taken` either. */
export async function freePort(taken: readonly number[] = []): Promise<number> {
  for (let left = TRIES; left > 0; left--) {
    const wanted = randomInt(RANGE.from, RANGE.to);
    if (given.has(wanted) || taken.includes(wanted)) continue;
    const port = await tryListen(wanted);
    if (port === null) continue;
    given.add(port);
    return port;
  }
  throw new SandboxError('there is no free port on 127.0.0.1');
}

/**
 * Who holds a port on this machine, for people: `container web (project shop)` or `process 4711 (node)`; null when it is
 * free. Asks the engine first, since the process of a published port is only Docker's own proxy.
 */
export async function portHolder(port: number, runtime: Pick<Runtime, 'publisherOf'> | null): Promise<string | null> {
  if ((await tryListen(port)) !== null) return null;
  const container = (await runtime?.publisherOf?.(port)) ?? null;
  return container ?? listenerOf(port) ?? 'another process';
}

/** The port if it can be bound, else null. */
function tryListen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
