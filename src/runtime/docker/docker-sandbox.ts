import type Dockerode from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import type { PartUsage } from '../../model/metrics.js';
import { PORTS, UIDS } from '../../model/names.js';
import { Gate } from '../gate.js';
import { listenerOf } from '../port-listener.js';
import { IMAGE_NAME, IMAGE_PROGRAMS } from '../programs.js';
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
  baselineSpec,
  CONTROL_PLANE_HOST,
  controlPlaneSpec,
  GATEWAY_HOST,
  gatewaySpec,
  initSpec,
  loadSpec,
  pauseSpec,
  plainAppSpec,
  type SpecParts,
  STATE_FOLDER,
  sidecarSpec,
} from './container-specs.js';
import { isMissing, isSoAlready, portTaken, takenPort, withEngine } from './engine-error.js';
import { watchExits } from './events.js';
import { runInside } from './exec.js';
import { filterOf, LABEL, labelsOf, objectName } from './labels.js';
import { containerLogs, logText } from './logs.js';
import { publisherOf } from './publisher.js';
import { ensurePulled } from './pull.js';
import { handOver } from './standard-input.js';
import { UsageMeter } from './usage.js';

/** One sandbox as pods of containers. What exists is asked of the engine by labels; only ids are remembered. */
export class DockerSandbox implements SandboxHost {
  readonly #docker: Dockerode;
  readonly #plan: SandboxPlan;
  readonly #image: () => string;
  readonly #ids = new Map<string, string>();
  readonly #meter: UsageMeter;
  readonly #gate = new Gate();
  /** False once the engine has said that IPv6 cannot be switched off per pod (kernels without it). */
  #ipv6Switch = true;

  constructor(docker: Dockerode, plan: SandboxPlan, image: () => string) {
    this.#docker = docker;
    this.#plan = plan;
    this.#image = image;
    this.#meter = new UsageMeter(docker);
  }

  async open(): Promise<Addresses> {
    const plan = this.#plan;
    await withEngine('making the network', () =>
      this.#gate.pass(() =>
        this.#docker.createNetwork({
          Name: this.#network,
          CheckDuplicate: true,
          Driver: 'bridge',
          Labels: labelsOf(plan, 'network'),
        }),
      ),
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
    const { image } = this.#workload(workload);
    if (image !== IMAGE_NAME) await withEngine(`fetching ${image}`, () => ensurePulled(this.#docker, image));
    const withSwitch = this.#ipv6Switch;
    try {
      await this.#buildPod(workload);
    } catch (error) {
      if (!withSwitch || !(error instanceof Error) || !error.message.includes('disable_ipv6')) throw error;
      this.#ipv6Switch = false;
      await this.#discardPod(workload);
      await this.#buildPod(workload);
    }
  }

  async #buildPod(workload: string): Promise<void> {
    const spec = this.#workload(workload);
    const pause = await this.#create(`${workload}/pause`, pauseSpec(this.#specs, workload, this.#ipv6Switch));
    // The others only need the pause container's id, so they are made while it starts.
    await allOf([
      this.#startNamespace(workload, pause),
      this.#create(`${workload}/sidecar`, sidecarSpec(this.#specs, workload, pause)),
      this.#create(`${workload}/app`, appSpec(this.#specs, spec, pause)),
    ]);
  }

  async #discardPod(workload: string): Promise<void> {
    const ids = ['pause', 'init', 'sidecar', 'app'].flatMap((part) => this.#ids.get(`${workload}/${part}`) ?? []);
    await Promise.all(ids.map((id) => this.#docker.getContainer(id).remove({ force: true }).catch(ignoreMissing)));
  }

  async createPart(part: PartName): Promise<void> {
    if (part === 'control-plane') {
      const volume = objectName(this.#plan, 'state');
      await withEngine('making the volume', () =>
        this.#gate.pass(() => this.#docker.createVolume({ Name: volume, Labels: labelsOf(this.#plan, 'state') })),
      );
      await this.#create(part, controlPlaneSpec(this.#specs, volume));
      return;
    }
    await this.#create(part, this.#partSpec(part));
  }

  #partSpec(part: PartName): ContainerCreateOptions {
    if (part === 'gateway') return gatewaySpec(this.#specs);
    if (part === 'baseline') return baselineSpec(this.#specs);
    if (part.endsWith('/app')) return plainAppSpec(this.#specs, this.#workload(part.slice(0, -'/app'.length)));
    return loadSpec(this.#specs);
  }

  async start(part: PartName, bootstrap: string | null): Promise<void> {
    if (part.endsWith('/pod')) return this.#restartPod(part.slice(0, -'/pod'.length));
    const container = await this.#container(part);
    await withEngine(`starting ${part}`, async () => {
      if (bootstrap !== null) await handOver(container, bootstrap);
      await container.start().catch((error: unknown) => this.#explainStart(error));
    });
  }

  async stop(part: PartName, graceMs: number): Promise<void> {
    const container = await this.#container(part);
    await withEngine(`stopping ${part}`, () => container.stop({ t: Math.ceil(graceMs / 1000) }).catch(ignoreAlready));
  }

  async signal(part: PartName, signal: string): Promise<void> {
    const container = await this.#container(part);
    await withEngine(`signalling ${part}`, () => container.kill({ signal }));
  }

  watch(
    onExit: (exit: PartExit) => void,
    onLost: (error: SandboxError) => void = () => {},
  ): Promise<{ close(): void }> {
    return withEngine('watching the containers', () =>
      watchExits(this.#docker, filterOf(this.#plan), { onExit, onLost }),
    );
  }

  /** From now on nothing is made; resolves when nothing is being made any more. */
  close(): Promise<void> {
    return this.#gate.close();
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
      this.#gate.pass(() => this.#docker.createContainer({ ...spec, name: objectName(this.#plan, part) })),
    );
    this.#ids.set(part, id);
    return id;
  }

  async #startNamespace(workload: string, pauseId: string): Promise<void> {
    const [init] = await allOf([
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
    const pause = await this.#container(`${workload}/pause`);
    await withEngine(`starting the pod of ${workload}`, () => pause.start().catch(ignoreAlready));
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

  /** Nothing when it runs already; a taken port is named together with who took it. */
  async #explainStart(error: unknown): Promise<void> {
    if (isSoAlready(error)) return;
    const port = takenPort(error);
    if (port === null) throw error;
    throw portTaken(port, (await publisherOf(this.#docker, port)) ?? listenerOf(port), error);
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

/** As Promise.all, but waits for all of them before it fails: nothing is still being made when the caller hears of it. */
async function allOf<T extends readonly unknown[]>(work: readonly [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}

function ignoreAlready(error: unknown): void {
  if (!isSoAlready(error)) throw error;
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}
