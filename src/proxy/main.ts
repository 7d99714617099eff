import { systemClock } from '../platform/clock.js';
import { programLog } from '../platform/log.js';
import { onTermination, readBootstrap } from '../platform/program.js';
import { seededRandom } from '../platform/random.js';
import type { SidecarBootstrap } from '../protocol/bootstrap.js';
import { runSidecar } from './run.js';

/** How long requests in flight may take after SIGTERM, ms. */
const DRAIN_MS = 5_000;

/** The sidecar's program: bootstrap from standard input, then the proxy until SIGTERM. */
async function main(): Promise<void> {
  const bootstrap = await readBootstrap<SidecarBootstrap>(() => process.exit(0));
  const running = await runSidecar({
    bootstrap,
    clock: systemClock,
    log,
    random: seededRandom(bootstrap.seed, `${bootstrap.workload}#${bootstrap.incarnation}`),
    onRefused: (reason) => {
      log.error({ reason }, 'the control plane refused this sidecar');
      process.exit(1);
    },
  });
  onTermination(() => {
    void running.drain(DRAIN_MS).then(() => process.exit(0));
  });
}

const log = programLog('proxy');

// A proxy that does not know its own state must not go on; the keeper starts a new one.
process.on('uncaughtException', (error) => {
  log.error({ error: error.stack }, 'uncaught');
  process.exit(70);
});

void main();
