import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.js';
import { openSocket } from '../../src/proxy/upstream/connect.js';

function stall(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it('hears what came while the process was not let run before it says that time is up', async () => {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  for (let i = 0; i < 20; i++) {
    const { socket } = openSocket('127.0.0.1', port, 10, systemClock);
    stall(15);
    (await socket).destroy();
  }
  server.close();
});

it('is silent once it is cancelled, also when its time is up already', async () => {
  const called: string[] = [];
  const timer = systemClock.after(0, () => called.push('cancelled'));
  setTimeout(() => timer.cancel(), 0);
  stall(5);
  await new Promise<void>((resolve) => systemClock.after(10, resolve));
  expect(called).toEqual([]);
});
