import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MeshClient } from '../../src/client/mesh-client.js';
import { serveApi } from '../../src/control-plane/api/server.js';
import { ControlPlane } from '../../src/control-plane/control-plane.js';
import type { AppSpec } from '../../src/model/app.js';
import { systemClock } from '../../src/platform/clock.js';
import { seededRandom } from '../../src/platform/random.js';
import type { Features } from '../../src/protocol/api-types.js';
import type { ControlPlaneBootstrap, SidecarBootstrap } from '../../src/protocol/bootstrap.js';
import { type RunningSidecar, runSidecar } from '../../src/proxy/run.js';
import { freePort } from '../../src/runtime/ports.js';
import { until } from './until.js';

export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };

export interface TestMesh {
  readonly client: MeshClient;
  readonly plane: ControlPlane;
  readonly gatewayUrl: string;
  /** Where the control plane keeps what it must not forget, the authority's key too. */
  readonly stateDir: string;
  /** Where the app of `workload` dials `service` (its own loopback port, `explicit` interception). */
  outboundUrl(workload: string, service: string): Promise<string>;
  /** Ends the control plane and starts another on the same ports with the same state. */
  restartControlPlane(): Promise<void>;
  readonly sidecars: ReadonlyMap<string, RunningSidecar>;
  close(): Promise<void>;
}

/**
 * A whole mesh inside this process: real control plane, real sidecars, real sockets and certificates; only the process
 * boundaries are missing. `apps` answers for each workload. One outside the mesh is only its app, or, as a map of declared
 * to dialed ports, somebody else's affair altogether; it is reported as ready.
 */
export async function startMesh(
  app: AppSpec,
  apps: Readonly<Record<string, RequestListener | Server | Readonly<Record<number, number>>>>,
  options: { features?: Partial<Features>; seed?: number; leafMs?: number; flavor?: string } = {},
): Promise<TestMesh> {
  const directory = mkdtempSync(join(tmpdir(), 'mesh-test-'));
  const [controlPort, apiPort, gatewayPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const apiToken = 'test-token';
  const seed = options.seed ?? 1;
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  const bootstrap: ControlPlaneBootstrap = {
    program: 'control-plane',
    lifeline: false,
    sandbox: { id: 'test', name: 'test' },
    runtime: 'local',
    app,
    seed,
    features: { mtls: 'permissive', retries: true, ...options.features },
    loadRps: 0,
    apiToken,
    control: { host: '127.0.0.1', port: controlPort },
    api: { host: '127.0.0.1', port: apiPort },
    publishedApiPort: apiPort,
    gatewayUrl,
    stateDir: directory,
    flavor: options.flavor ?? 'istio',
    leafMs: options.leafMs ?? null,
  };
  let plane = await ControlPlane.start(bootstrap, systemClock, quiet);
  let api = await serveApi(plane, systemClock);
  const sidecars = new Map<string, RunningSidecar>();
  const servers: Server[] = [];
  const start = async (workload: string, appPorts: SidecarBootstrap['appPorts']): Promise<void> => {
    const gateway = workload === 'gateway' ? { host: '127.0.0.1', port: gatewayPort } : null;
    const running = await runSidecar({
      bootstrap: {
        program: gateway === null ? 'sidecar' : 'gateway',
        lifeline: false,
        workload,
        controlPlane: { host: '127.0.0.1', port: controlPort },
        trustBundle: plane.identities.authority.rootPem,
        joinToken: plane.tokens.mint(workload),
        seed,
        incarnation: 0,
        interception: 'explicit',
        appPorts,
        gateway,
        listenPorts: {},
        bindHost: '127.0.0.1',
      },
      clock: systemClock,
      log: quiet,
      random: seededRandom(seed, `${workload}#0`),
      onRefused: (reason) => {
        throw new Error(reason);
      },
    });
    sidecars.set(workload, running);
  };
  const client = new MeshClient({ url: `http://127.0.0.1:${apiPort}`, token: apiToken });
  for (const { name, ports, meshed } of app.workloads) {
    const answer = apps[name];
    const appPorts = [];
    for (const { port } of ports) {
      if (isPlaces(answer)) {
        appPorts.push({ port, target: answer[port] ?? 0 });
        continue;
      }
      const server = typeof answer === 'function' || answer === undefined ? createServer(answer) : answer;
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server as Server);
      appPorts.push({ port, target: (server.address() as AddressInfo).port });
    }
    if (meshed) await start(name, appPorts);
    else await client.call('reportEndpoint', outside(name, appPorts));
  }
  await start('gateway', []);
  await until(async () => (await client.call('status', {})).ready, 'the mesh is ready');
  return {
    client,
    get plane() {
      return plane;
    },
    gatewayUrl,
    stateDir: directory,
    sidecars,
    async restartControlPlane() {
      plane.close();
      api.closeAllConnections();
      await new Promise((resolve) => api.close(resolve));
      plane = await ControlPlane.start(bootstrap, systemClock, quiet);
      api = await serveApi(plane, systemClock);
    },
    async outboundUrl(workload, service) {
      const view = (await client.call('workloads', {})).find(({ name }) => name === workload);
      const found = Object.entries(view?.listenPorts ?? {}).find(([name]) => name.startsWith(`out:${service}:`));
      if (found === undefined) throw new Error(`${workload} has no way to ${service}`);
      return `http://127.0.0.1:${found[1]}`;
    },
    async close() {
      await Promise.all([...sidecars.values()].map((running) => running.drain(0)));
      for (const server of [...servers, api]) {
        server.close();
        (server as Server).closeAllConnections?.();
      }
      plane.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function isPlaces(answer: unknown): answer is Readonly<Record<number, number>> {
  return typeof answer === 'object' && answer !== null && !('listen' in answer);
}

function outside(workload: string, appPorts: SidecarBootstrap['appPorts']) {
  const ports = Object.fromEntries(appPorts.map(({ port, target }) => [port, target]));
  return { workload, address: '127.0.0.1', ports, ready: true };
}

export { freePort };
