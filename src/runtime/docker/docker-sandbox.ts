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
  baselineSpec,
  CONTROL_PLANE_HOST,
  controlPlaneSpec,
  GATEWAY_HOST,
  gatewaySpec,
  loadSpec,
  outsideSpec,
  plainAppSpec,
  probeSpec,
  type SpecParts,
  STATE_FOLDER,
} from './container-specs.js';
import { isSoAlready, portTaken, takenPort, withEngine } from './engine-error.js';
import { watchExits } from './events.js';
import { runAlone, runInside } from './exec.js';
import { filterOf, LABEL, labelsOf, objectName } from './labels.js';
import { containerLogs } from './logs.js';
import { Pods } from './pods.js';
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
  readonly #pods: Pods;

  constructor(docker: Dockerode, plan: SandboxPlan, image: () => string) {
    this.#docker = docker;
    this.#plan = plan;
    this.#image = image;
    this.#meter = new UsageMeter(docker);
    this.#pods = new Pods({
      docker,
      specs: () => this.#specs,
      create: (part, spec) => this.#create(part, spec),
      idOf: async (part) => (await this.#container(part)).id,
    });
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
    const spec = this.#workload(workload);
    if (spec.image !== IMAGE_NAME)
      await withEngine(`fetching ${spec.image}`, () => ensurePulled(this.#docker, spec.image));
    if (spec.meshed) await this.#pods.create(spec);
    else await this.#create(`${workload}/app`, outsideSpec(this.#specs, spec));
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
    if (part.endsWith('/pod')) return this.#pods.restart(part.slice(0, -'/pod'.length));
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

  async addressOf(workload: string): Promise<string> {
    const container = await this.#container(`${workload}/app`);
    const { NetworkSettings } = await withEngine(`looking at ${workload}`, () => container.inspect());
    const address = NetworkSettings.Networks[this.#network]?.IPAddress ?? '';
    if (address === '') throw new SandboxError(`${workload} does not run`, [`mesh-sandbox logs ${workload}`]);
    return address;
  }

  async usage(): Promise<readonly PartUsage[]> {
    const running = await this.#list({ running: true });
    return this.#meter.measure(running.filter(({ part }) => !/\/(pause|init|probe)$/.test(part)));
  }

  async *logs(
    part: PartName,
    options: { tail: number; follow: boolean; signal?: AbortSignal },
  ): AsyncGenerator<string, void, void> {
    yield* containerLogs(await this.#container(part), options);
  }

  async probe(workload: string, request: ProbeRequest): Promise<ExecResult> {
    const argv = ['node', `${IMAGE_PROGRAMS}/probe.cjs`, JSON.stringify(request)];
    if (!this.#workload(workload).meshed) return this.#probeBeside(workload, argv);
    const container = await this.#container(`${workload}/sidecar`);
    // As the app's user, not the sidecar's: its traffic must be intercepted like the app's.
    return withEngine(`asking from inside ${workload}`, () =>
      runInside(this.#docker, container, argv, `${UIDS.app}:${UIDS.app}`),
    );
  }

  /** Without a sidecar there is only the app, in an image that may know no Node.js: ours, in the app's network namespace. */
  async #probeBeside(workload: string, argv: readonly string[]): Promise<ExecResult> {
    const { id } = await this.#container(`${workload}/app`);
    return withEngine(`asking from beside ${workload}`, async () => {
      // Whoever asks need not be the one who chose the image.
      const { Image: image } = await (await this.#container('gateway')).inspect();
      const spec = probeSpec({ ...this.#specs, image }, workload, { appId: id, argv });
      return this.#gate.pass(() => runAlone(this.#docker, spec));
    });
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

function ignoreAlready(error: unknown): void {
  if (!isSoAlready(error)) throw error;
}
