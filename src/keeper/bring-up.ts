import type { MeshClient } from '../client/mesh-client.js';
import { type Clock, sleep } from '../platform/clock.js';
import type { WorkloadView } from '../protocol/api-types.js';
import type { KeeperPlan } from '../protocol/keeper-messages.js';
import { type Runtime, SandboxError, type SandboxHost } from '../runtime/runtime.js';
import { firstAnswer } from './first-answer.js';
import { lastWords } from './last-words.js';
import type { Parts } from './parts.js';
import { groundSteps, type Step } from './steps.js';

export interface BringUpParts {
  readonly plan: KeeperPlan;
  readonly runtime: Runtime;
  readonly host: SandboxHost;
  readonly parts: Parts;
  readonly client: MeshClient;
  readonly clock: Clock;
  /** A part that ended before everything was up, with its last words; null while all is well. */
  readonly casualty: () => { readonly part: string; readonly words: string } | null;
}

/** How long each stage may take before it counts as failed, ms. */
const PATIENCE = { controlPlane: 20_000, sidecars: 30_000, apps: 60_000, firstAnswer: 30_000 } as const;
/** Between two knocks at the control plane's door, and between two looks at all workloads, which cost CPU, ms. */
const KNOCK_EVERY_MS = 15;
const LOOK_EVERY_MS = 40;

/** The literal list of what `up` does, in order, up to the first answer; traffic begins after it. Undoing all of it is one call: `runtime.remove`. */
export function bringUp(bringUpParts: BringUpParts): Step[] {
  const { plan, runtime, host, parts, clock } = bringUpParts;
  const workloads = plan.app.workloads.map(({ name }) => name);
  const meshed = plan.app.workloads.filter((workload) => workload.meshed).map(({ name }) => name);
  // Pods need nothing but the network, so they are made while the control plane starts.
  let pods: Promise<unknown> = Promise.resolve();
  return [
    ...groundSteps(runtime, () => parts.open()),
    {
      name: 'control plane',
      run: async () => {
        pods = Promise.all(workloads.map((name) => host.createPod(name)));
        pods.catch(() => {});
        await host.createPart('control-plane');
        await parts.startControlPlane();
        await Promise.all([host.createPart('gateway'), host.createPart('load'), untilAnswers(bringUpParts)]);
        await parts.learnTrust();
        return 'certificate authority, registry, API';
      },
    },
    {
      name: 'sidecars',
      run: async () => {
        await pods;
        await parts.startMembers([...meshed.map((name) => `${name}/sidecar`), 'gateway']);
        await untilWorkloads(
          bringUpParts,
          PATIENCE.sidecars,
          'sidecar',
          (view) => view.role === 'none' || (view.sidecar === 'connected' && view.ackedVersion > 0),
        );
        return `${meshed.length + 1} with certificates and configuration`;
      },
    },
    {
      name: 'apps',
      run: async () => {
        await parts.startApps();
        await untilWorkloads(bringUpParts, PATIENCE.apps, 'app', (view) => view.appReady);
        await untilCurrent(bringUpParts);
        const outside = workloads.length - meshed.length;
        return `${workloads.length} ready${outside === 0 ? '' : `, ${outside} of them outside the mesh`}`;
      },
    },
    {
      name: 'first request',
      run: async () => {
        const status = await firstAnswer(
          `http://127.0.0.1:${plan.gatewayPort}${plan.app.load.paths[0] ?? '/'}`,
          clock,
          PATIENCE.firstAnswer,
        );
        return `${status} through the gateway and mutual TLS`;
      },
    },
  ];
}

async function untilAnswers({ host, client, clock, casualty }: BringUpParts): Promise<void> {
  const deadline = clock.monotonic() + PATIENCE.controlPlane;
  for (;;) {
    try {
      await client.call('status', {}, 1_000);
      return;
    } catch (error) {
      const ended = casualty();
      if (ended !== null)
        throw new SandboxError(`${ended.part} ended while starting: ${ended.words}`, [], { cause: error });
      if (clock.monotonic() > deadline) {
        const words = await lastWords(host, 'control-plane');
        throw new SandboxError(`the control plane does not answer${quoted(words)}`, [], { cause: error });
      }
    }
    await sleep(clock, KNOCK_EVERY_MS);
  }
}

/** Every sidecar knows every endpoint: a request before that may find nobody. */
async function untilCurrent({ client, clock }: BringUpParts): Promise<void> {
  const deadline = clock.monotonic() + PATIENCE.sidecars;
  while (!(await client.call('status', {})).ready) {
    if (clock.monotonic() > deadline)
      throw new SandboxError('not every sidecar took its configuration', ['mesh-sandbox status']);
    await sleep(clock, KNOCK_EVERY_MS);
  }
}

async function untilWorkloads(
  { host, client, clock, casualty }: BringUpParts,
  patienceMs: number,
  what: 'sidecar' | 'app',
  ready: (view: WorkloadView) => boolean,
): Promise<void> {
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const waiting = (await client.call('workloads', {})).filter((view) => !ready(view));
    if (waiting.length === 0) return;
    const ended = casualty();
    if (ended !== null) throw new SandboxError(`${ended.part} ended while starting: ${ended.words}`);
    if (clock.monotonic() > deadline) {
      const names = waiting.map(({ name }) => name);
      const words = await lastWords(host, names[0] === 'gateway' ? 'gateway' : `${names[0]}/${what}`);
      throw new SandboxError(
        `the ${what} of ${names.join(', ')} did not become ready in ${patienceMs / 1000} s${quoted(words)}`,
      );
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
}

/** The sandbox and its logs are removed when it cannot be built, so the last line is told right here. */
function quoted(words: string): string {
  return words === '' ? '' : `; its last words: ${words}`;
}
