import { MeshClient } from '../../src/client/mesh-client.js';
import { systemClock } from '../../src/platform/clock.js';
import { runTui } from '../../src/tui/run.js';

/** The terminal UI as a program of its own: `URL owned|attached`. SIGUSR2 is a mistake somewhere else in the program. */
const [url = '', mode = 'attached'] = process.argv.slice(2);
process.on('SIGUSR2', () => {
  throw new Error('a mistake elsewhere');
});
const outcome = await runTui({
  client: new MeshClient({ url, token: 'test' }),
  sandboxName: 'bookinfo',
  owned: mode === 'owned',
  clock: systemClock,
});
console.log(`left: ${outcome}`);
