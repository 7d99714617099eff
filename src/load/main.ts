import { systemClock } from '../platform/clock.js';
import { programLog } from '../platform/log.js';
import { onTermination, readBootstrap } from '../platform/program.js';
import { seededRandom } from '../platform/random.js';
import type { LoadBootstrap } from '../protocol/bootstrap.js';
import { ControlChannel } from '../workload/control-channel.js';
import { OpenLoop } from './open-loop.js';

/** How often counts go up, ms. */
const REPORT_MS = 500;

const log = programLog('load');

/** The traffic generator's program: joins the mesh's control stream, and sends what the control plane asks for. */
async function main(): Promise<void> {
  const bootstrap = await readBootstrap<LoadBootstrap>(() => process.exit(0));
  const clock = systemClock;
  const loop = new OpenLoop({ clock, target: bootstrap.gatewayUrl });
  onTermination(() => process.exit(0));
  if (bootstrap.fixed !== null) return loop.setLoad(bootstrap.fixed);
  const startedAt = clock.now();
  const channel = new ControlChannel({
    bootstrap,
    clock,
    log,
    random: seededRandom(bootstrap.seed, `load#${bootstrap.incarnation}`),
    events: {
      onIdentity: () => {},
      onMessage: (message) => {
        if (message.type === 'load') loop.setLoad(message.load);
      },
      hello: () => ({
        type: 'hello',
        workload: bootstrap.workload,
        program: 'load',
        version: 0,
        listenPorts: {},
        appReady: true,
        startedAt,
      }),
      onRefused: (reason) => {
        log.error({ reason }, 'the control plane refused the traffic generator');
        process.exit(1);
      },
    },
  });
  channel.start();
  const report = (): void => {
    clock.after(REPORT_MS, report);
    if (channel.connected) channel.send({ type: 'load-report', ...loop.takeCounts() });
  };
  report();
}

void main();
