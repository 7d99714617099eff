import type Dockerode from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import type { PartUsage } from '../../model/metrics.js';
import { PORTS, UIDS } from '../../model/names.js';
import { IMAGE_PROGRAMS } from '../programs.js';
import {
  type Addresses,
  type ExecResult,
  type PartExit,
  type PartName,
  type ProbeRequest,
  SandboxError,
  type SandboxHost,
  type SandboxPlan,
} from '../runtime.js';
import {
  appSpec,
  CONTROL_PLANE_HOST,
  controlPlaneSpec,
  GATEWAY_HOST,
  gatewaySpec,
  initSpec,
  loadSpec,
  pauseSpec,
  type SpecParts,
  STATE_FOLDER,
  sidecarSpec,
} from './container-specs.js';
import { isGone, withEngine } from './engine-error.js';
import { watchExits } from './events.js';
import { runInside } from './exec.js';
import { filterOf, LABEL, labelsOf, objectName } from './labels.js';
import { containerLogs, logText } from './logs.js';
import { UsageMeter } from './usage.js';

/** One sandbox as pods of containers. What exists is asked of the engine by labels; only ids are remembered. */
export class DockerSandbox implements SandboxHost {
  readonly #docker: Dockerode;
  readonly #plan: SandboxPlan;
  readonly #image: () => string;
  readonly #ids = new Map<string, string>();
  readonly #meter: UsageMeter;

  constructor(docker: Dockerode, plan: SandboxPlan, image: () => string) {
    this.#docker = docker;
    this.#plan = plan;
    this.#image = image;
    this.#meter = new UsageMeter(docker);
  }

  async open(): Promise<Addresses> {
    const plan = this.#plan;
    await withEngine('making the network', () =>
      this.#docker.createNetwork({
        Name: this.#network,
        CheckDuplicate: true,
        Driver: 'bridge',
        Labels: labelsOf(plan, 'network'),
      }),
    );
    return {
      controlPlane: { host: CONTROL_PLANE_HOST, port: PORTS.control },
      controlListen: { host: '0.0.0.0', port: PORTS.control },
      apiListen: { host: '0.0.0.0', port: PORTS.api },
      controlStateDir: STATE_FOLDER,
      gatewayListen: { host: '0.0.0.0', port: PORTS.gateway },
      gatewayUrl: `http://${GATEWAY_HOST}:${PORTS.gateway}`,
      bindHost: '0.0.0.0',
      interception: 'transparent',
      appPorts: (workload) => this.#workload(workload).ports.map(({ port }) => ({ port, target: port })),
    };
  }

  async createPod(workload: string): Promise<void> {
    const spec = this.#workload(workload);
    const pause = await this.#create(`${workload}/pause`, pauseSpec(this.#specs, workload));
    // The others only need the pause container's id, so they are made while it starts.
    await Promise.all([
      this.#startNamespace(workload, pause),
      this.#create(`${workload}/sidecar`, sidecarSpec(this.#specs, workload, pause)),
      this.#create(`${workload}/app`, appSpec(this.#specs, spec, pause)),
    ]);
  }

  async createPart(part: PartName): Promise<void> {
    if (part === 'control-plane') {
      const volume = objectName(this.#plan, 'state');
      await withEngine('making the volume', () =>
        this.#docker.createVolume({ Name: volume, Labels: labelsOf(this.#plan, 'state') }),
      );
      await this.#create(part, controlPlaneSpec(this.#specs, volume));
      return;
    }
    await this.#create(part, part === 'gateway' ? gatewaySpec(this.#specs) : loadSpec(this.#specs));
  }

  async start(part: PartName, bootstrap: string | null): Promise<void> {
    if (part.endsWith('/pod')) return this.#restartPod(part.slice(0, -'/pod'.length));
    const container = await this.#container(part);
    await withEngine(`starting ${part}`, async () => {
      if (bootstrap !== null) await hand(container, bootstrap);
      // 304: it runs already, which is what was wanted.
      await container.start().catch(ignoreGone);
    });
  }

  async stop(part: PartName, graceMs: number): Promise<void> {
    const container = await this.#container(part);
    await withEngine(`stopping ${part}`, () => container.stop({ t: Math.ceil(graceMs / 1000) }).catch(ignoreGone));
  }

  async signal(part: PartName, signal: string): Promise<void> {
    const container = await this.#container(part);
    await withEngine(`signalling ${part}`, () => container.kill({ signal }));
  }

  watch(onExit: (exit: PartExit) => void): Promise<{ close(): void }> {
    return watchExits(this.#docker, filterOf(this.#plan), { onExit, onLost: () => {} });
  }

  async usage(): Promise<readonly PartUsage[]> {
    const running = await this.#list({ running: true });
    return this.#meter.measure(running.filter(({ part }) => !/\/(pause|init)$/.test(part)));
  }

  async *logs(
    part: PartName,
    options: { tail: number; follow: boolean; signal?: AbortSignal },
  ): AsyncGenerator<string, void, void> {
    yield* containerLogs(await this.#container(part), options);
  }

  async probe(workload: string, request: ProbeRequest): Promise<ExecResult> {
    const container = await this.#container(`${workload}/sidecar`);
    // As the app's user, not the sidecar's: its traffic must be intercepted like the app's.
    return withEngine(`asking from inside ${workload}`, () =>
      runInside(
        this.#docker,
        container,
        ['node', `${IMAGE_PROGRAMS}/probe.cjs`, JSON.stringify(request)],
        `${UIDS.app}:${UIDS.app}`,
      ),
    );
  }

  get #network(): string {
    return objectName(this.#plan, 'network');
  }

  get #specs(): SpecParts {
    return { plan: this.#plan, image: this.#image(), network: this.#network };
  }

  async #create(part: string, spec: ContainerCreateOptions): Promise<string> {
    const { id } = await withEngine(`creating ${part}`, () =>
      this.#docker.createContainer({ ...spec, name: objectName(this.#plan, part) }),
    );
    this.#ids.set(part, id);
    return id;
  }

  async #startNamespace(workload: string, pauseId: string): Promise<void> {
    const [init] = await Promise.all([
      this.#create(`${workload}/init`, initSpec(this.#specs, workload, pauseId)),
      withEngine(`starting the pod of ${workload}`, () => this.#docker.getContainer(pauseId).start()),
    ]);
    await this.#intercept(workload, init);
  }

  /** Runs the init container and insists on exit code 0. */
  async #intercept(workload: string, initId: string): Promise<void> {
    const init = this.#docker.getContainer(initId);
    const code = await withEngine(`intercepting the traffic of ${workload}`, async () => {
      await init.start();
      return ((await init.wait()) as { StatusCode: number }).StatusCode;
    });
    if (code === 0) return;
    throw new SandboxError(`the traffic of ${workload} cannot be intercepted: ${await logText(init)}`, [
      'the kernel of the engine needs iptables REDIRECT (nf_nat)',
      'mesh-sandbox up --runtime local',
    ]);
  }

  async #restartPod(workload: string): Promise<void> {
    await (await this.#container(`${workload}/pause`)).start().catch(ignoreGone);
    await this.#intercept(workload, (await this.#container(`${workload}/init`)).id);
  }

  /** A part's container, by id if we made it, else by labels. */
  async #container(part: string): Promise<Dockerode.Container> {
    const known = this.#ids.get(part);
    if (known !== undefined) return this.#docker.getContainer(known);
    const found = (await this.#list({ running: false })).find((entry) => entry.part === part);
    if (found === undefined) throw new SandboxError(`${part} does not exist`, ['mesh-sandbox status']);
    this.#ids.set(part, found.id);
    return this.#docker.getContainer(found.id);
  }

  #list({ running }: { running: boolean }): Promise<{ id: string; part: string }[]> {
    return withEngine('listing containers', async () => {
      const all = await this.#docker.listContainers({ all: !running, filters: filterOf(this.#plan) });
      return all.map(({ Id, Labels }) => ({ id: Id, part: Labels[LABEL.part] ?? '' }));
    });
  }

  #workload(name: string) {
    const found = this.#plan.app.workloads.find((workload) => workload.name === name);
    if (found === undefined) throw new SandboxError(`there is no workload ${name}`);
    return found;
  }
}

/** Writes the bootstrap into the container's standard input before it starts; it stands nowhere else. */
async function hand(container: Dockerode.Container, bootstrap: string): Promise<void> {
  const stream = await container.attach({ stream: true, stdin: true, stdout: false, stderr: false, hijack: true });
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject);
    stream.end(`${bootstrap}\n`, () => resolve());
  });
}

function ignoreGone(error: unknown): void {
  if (!isGone(error)) throw error;
}
