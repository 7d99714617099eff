import { MeshClient } from '../client/mesh-client.js';
import { systemClock } from '../platform/clock.js';
import { programLog } from '../platform/log.js';
import { onTermination } from '../platform/program.js';
import type { FromKeeper, KeeperPlan, ToKeeper } from '../protocol/keeper-messages.js';
import { chooseRuntime, preloadRuntime, type RuntimeWish } from '../runtime/choose.js';
import { SandboxError } from '../runtime/runtime.js';
import { bringUp } from './bring-up.js';
import { bringUpPlain, PlainParts } from './bring-up-plain.js';
import { Parts } from './parts.js';
import { runSteps } from './steps.js';
import { Supervisor } from './supervisor.js';

/**
 * The keeper: one process per sandbox on the host. It builds the sandbox, brings back what dies, measures what the parts
 * cost, and takes everything down on SIGTERM. The command that started it only watches; if that command dies before the
 * sandbox is ready, everything is undone.
 */
const log = programLog('keeper');
const clock = systemClock;

function tell(message: FromKeeper): void {
  // With a callback, a channel whose other end was just killed is no uncaught error: its end is told by `disconnect`.
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

async function keep(plan: KeeperPlan): Promise<void> {
  const started = clock.monotonic();
  const runtime = await chooseRuntime({
    kind: plan.runtime.kind,
    dockerHost: plan.runtime.dockerHost,
    image: plan.runtime.image,
    owner: plan.owner,
  });
  const host = runtime.sandbox({ ...plan, gatewayPort: plan.gatewayPort, apiPort: plan.apiPort });
  const client = new MeshClient({ url: `http://127.0.0.1:${plan.apiPort}`, token: plan.apiToken });
  const parts = new Parts(plan, host, client, clock);
  const plain = new PlainParts(plan, host);
  const supervisor = new Supervisor({ host, parts: plan.mesh ? parts : plain, client, clock, log });
  let ready = false;
  let ending = false;
  const end = async (code: number): Promise<void> => {
    if (ending) return;
    ending = true;
    supervisor.stop();
    parts.close();
    const removed = await runtime.remove(plan, plan.directory).catch((error: unknown) => {
      log.error({ error: String(error) }, 'not everything could be removed');
      return [];
    });
    log.info({ removed: removed.length }, 'down');
    process.exit(code);
  };
  onTermination(() => void end(0));
  process.on('disconnect', () => {
    if (!ready) void end(1);
  });
  process.on('message', (message: ToKeeper) => {
    if (message.type === 'abort') void end(130);
  });
  try {
    await supervisor.watch();
    const casualty = () => supervisor.casualty;
    const steps = plan.mesh
      ? bringUp({ plan, runtime, host, parts, client, clock, casualty })
      : bringUpPlain({ plan, runtime, host, clock }, plain);
    await runSteps(steps, clock, (step) => tell({ type: 'step', step }));
    supervisor.supervise();
    supervisor.launch('load');
    ready = true;
    tell({ type: 'ready', gatewayUrl: `http://127.0.0.1:${plan.gatewayPort}`, totalMs: clock.monotonic() - started });
    if (!process.connected) void end(1);
  } catch (error) {
    if (ending) return;
    const hints = error instanceof SandboxError ? error.hints : [];
    supervisor.stop();
    parts.close();
    log.error({ error: error instanceof Error ? error.stack : String(error) }, 'up failed');
    const undone = await runtime.remove(plan, plan.directory).then(
      () => true,
      () => false,
    );
    tell({ type: 'failed', message: error instanceof Error ? error.message : String(error), hints, undone });
    // Give the message time to leave before the channel goes.
    if (process.connected) process.once('disconnect', () => process.exit(1));
    else process.exit(1);
    process.disconnect?.();
  }
}

process.once('message', (message: ToKeeper) => {
  if (message.type === 'up') void keep(message.plan);
});
process.on('SIGHUP', () => {});
// What cannot be loaded is told when it is needed.
preloadRuntime(process.argv[2] as RuntimeWish['kind']).catch(() => {});
