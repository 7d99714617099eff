import type { Server } from 'node:net';
import { PORTS } from '../model/names.js';
import type { SidecarConfig } from '../model/sidecar-config.js';
import type { Clock } from '../platform/clock.js';
import type { Log } from '../platform/log.js';
import type { Random } from '../platform/random.js';
import type { SidecarBootstrap } from '../protocol/bootstrap.js';
import type { FromControlPlane } from '../protocol/control-stream.js';
import { ControlChannel } from '../workload/control-channel.js';
import { AppProbe } from './discovery/app-probe.js';
import { drain } from './drain.js';
import { ExplicitListeners } from './explicit-listeners.js';
import { serveGateway } from './gateway-listener.js';
import { loadOriginalDestination } from './listener/original-destination.js';
import { serveReadiness } from './listener/readiness.js';
import { onOutbound } from './outbound-listener.js';
import { listen, Sockets } from './servers.js';
import { Sidecar } from './sidecar.js';

export interface RunParts {
  readonly bootstrap: SidecarBootstrap;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onRefused: (reason: string) => void;
}

export interface RunningSidecar {
  readonly sidecar: Sidecar;
  /** Stops accepting, lets what is in flight finish (at most `ms`), resolves when nothing is left. */
  drain(ms: number): Promise<void>;
}

/** How often counts and records go up, ms. */
const TELEMETRY_MS = 250;

/** A sidecar with its listeners and its control channel. Rejects when a listener's port is taken. */
export async function runSidecar(parts: RunParts): Promise<RunningSidecar> {
  const { bootstrap, clock, random, log } = parts;
  const startedAt = clock.now();
  const targets = new Map(bootstrap.appPorts.map(({ port, target }) => [port, target]));
  const sidecar = new Sidecar({
    clock,
    random,
    log,
    workload: bootstrap.workload,
    edge: bootstrap.program === 'gateway',
    appPort: (port) => targets.get(port) ?? port,
  });
  const sockets = new Sockets(() => sidecar.state.config.limits.connections);
  const servers: Server[] = [];
  const explicit = new ExplicitListeners(sidecar, sockets, bootstrap);
  await openListeners(sidecar, sockets, bootstrap, servers, explicit);
  const probe = new AppProbe([...targets.values()], clock, (appReady) => channel.send({ type: 'health', appReady }));
  const channel = new ControlChannel({
    bootstrap,
    clock,
    random,
    log,
    events: {
      onIdentity: (identity) => sidecar.identity.use(identity),
      onMessage: (message) => onMessage(message),
      hello: () => ({
        type: 'hello',
        workload: bootstrap.workload,
        program: bootstrap.program,
        version: sidecar.state.config.version,
        listenPorts: explicit.ports,
        appReady: probe.ready,
        startedAt,
      }),
      onRefused: parts.onRefused,
    },
  });
  const obey = async (config: SidecarConfig): Promise<void> => {
    try {
      sidecar.apply(config);
      if (await explicit.follow(config)) channel.send({ type: 'ports', listenPorts: explicit.ports });
      channel.send({ type: 'ack', version: config.version });
    } catch (error) {
      channel.send({
        type: 'nack',
        version: config.version,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  };
  const onMessage = (message: FromControlPlane): void => {
    if (message.type === 'config') void obey(message.config);
  };
  channel.start();
  probe.start();
  if (bootstrap.interception === 'transparent' && bootstrap.program === 'sidecar') {
    servers.push(await serveReadiness(bootstrap.bindHost, PORTS.readiness, () => sidecar.state.config.version > 0));
  }
  sidecar.memory.start();
  const reports = report(sidecar, bootstrap.workload, { channel, sockets, clock });
  log.info({ workload: bootstrap.workload, program: bootstrap.program }, 'listening');
  return {
    sidecar,
    drain: (ms) =>
      drain(
        {
          sidecar,
          sockets,
          servers: [...servers, ...explicit.servers],
          clock,
          sayGoodbye: () => {
            probe.close();
            channel.send({ type: 'health', appReady: false });
          },
          onDrained: () => {
            reports.stop();
            channel.close();
          },
        },
        ms,
      ),
  };
}

async function openListeners(
  sidecar: Sidecar,
  sockets: Sockets,
  bootstrap: SidecarBootstrap,
  servers: Server[],
  explicit: ExplicitListeners,
): Promise<void> {
  if (bootstrap.gateway !== null) servers.push(await serveGateway(sidecar, sockets, bootstrap.gateway));
  if (bootstrap.interception === 'explicit') {
    await explicit.openInbound();
    return;
  }
  if (bootstrap.program === 'gateway') return;
  const originalDestination = loadOriginalDestination();
  const own = new Set<number>([PORTS.outbound, PORTS.inbound]);
  const outbound = await listen(bootstrap.bindHost, PORTS.outbound, sockets, (socket) => {
    const to = originalDestination(socket);
    // Somebody who dials the listener itself would be sent round in a circle.
    if (to === null || own.has(to.port)) socket.resetAndDestroy();
    else onOutbound(sidecar.outbound, socket, to);
  });
  const inbound = await listen(bootstrap.bindHost, PORTS.inbound, sockets, (socket) => {
    const to = originalDestination(socket);
    if (to === null || own.has(to.port)) socket.resetAndDestroy();
    else sidecar.inbound.accept(socket, to.port);
  });
  servers.push(outbound.server, inbound.server);
}

/** Sends what was counted, until it is stopped. Without a connection nothing is taken, and counts go on adding up. */
function report(
  sidecar: Sidecar,
  workload: string,
  { channel, sockets, clock }: { channel: ControlChannel; sockets: Sockets; clock: Clock },
): { stop(): void } {
  let cpu = process.cpuUsage();
  let refused = 0;
  let timer = clock.after(TELEMETRY_MS, tick);
  function tick(): void {
    timer = clock.after(TELEMETRY_MS, tick);
    if (channel.connected) send();
  }
  const send = (): void => {
    if (sockets.refused > refused) {
      const text = `the sidecar reset ${sockets.refused - refused} connections: it has as many as it accepts (${sockets.size})`;
      sidecar.recorder.happened(workload, { kind: 'shed', service: '', workload: '', endpoint: '', text });
      refused = sockets.refused;
    }
    const taken = sidecar.recorder.take();
    if (taken.exchanges.length > 0 || taken.dropped > 0) {
      channel.send({ type: 'exchanges', exchanges: taken.exchanges, dropped: taken.dropped });
    }
    if (taken.incidents.length > 0) channel.send({ type: 'incidents', incidents: taken.incidents });
    const used = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    channel.send({
      type: 'metrics',
      edges: taken.edges,
      attempts: taken.attempts,
      faultHits: sidecar.faults.takeHits(),
      cpuMicros: used.user + used.system,
      rssBytes: process.memoryUsage.rss(),
      openConnections: sockets.size + sidecar.upstreamConnections,
    });
  };
  return {
    stop: () => {
      timer.cancel();
      if (channel.connected) send();
    },
  };
}
