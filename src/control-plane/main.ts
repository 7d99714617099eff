import { systemClock } from '../platform/clock.js';
import { programLog } from '../platform/log.js';
import { onTermination, readBootstrap } from '../platform/program.js';
import type { ControlPlaneBootstrap } from '../protocol/bootstrap.js';
import { serveApi } from './api/server.js';
import { ControlPlane } from './control-plane.js';

const log = programLog('control-plane');

/** The control plane's program: bootstrap from standard input, then until SIGTERM. */
async function main(): Promise<void> {
  const bootstrap = await readBootstrap<ControlPlaneBootstrap>(() => process.exit(0));
  const plane = await ControlPlane.start(bootstrap, systemClock, log);
  await serveApi(plane, systemClock);
  log.info({ sandbox: bootstrap.sandbox.name, api: bootstrap.api.port, control: bootstrap.control.port }, 'ready');
  onTermination(() => process.exit(0));
}

main().catch((error: unknown) => {
  log.error({ error: error instanceof Error ? error.stack : String(error) }, 'cannot start');
  process.exit(1);
});
