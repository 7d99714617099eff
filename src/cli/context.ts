import { MeshClient } from '../client/mesh-client.js';
import { nearest } from '../model/nearest.js';
import { chooseRuntime } from '../runtime/choose.js';
import { type Runtime, SandboxError, type SandboxHost } from '../runtime/runtime.js';
import type { Home, SandboxState } from '../sandbox/home.js';
import { sandboxPlan } from '../sandbox/plan.js';
import type { Output } from './output.js';

/** What every command gets. */
export interface Context {
  readonly home: Home;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Name of a sandbox when the user gives none. */
export const DEFAULT_NAME = 'bookinfo';

/** The sandbox that a command is about: the named one, or the only one there is. Throws SandboxError with what exists. */
export function findSandbox({ home }: Context, name: string | undefined): SandboxState {
  const all = home.list();
  if (name === undefined) {
    if (all.length === 1) return all[0] as SandboxState;
    if (all.length === 0) throw new SandboxError('no sandbox is running', ['mesh-sandbox up']);
    const standard = all.find((state) => state.name === DEFAULT_NAME);
    if (standard !== undefined) return standard;
    throw new SandboxError(`there are several sandboxes: ${all.map((state) => state.name).join(', ')}`, [
      'say which one with --name',
    ]);
  }
  const found = all.find((state) => state.name === name);
  if (found !== undefined) return found;
  const names = all.map((state) => state.name);
  const close = nearest(name, names);
  throw new SandboxError(`there is no sandbox named ${name}${close === null ? '' : `; did you mean ${close}?`}`, [
    names.length === 0 ? 'mesh-sandbox up' : `there are: ${names.join(', ')}`,
  ]);
}

export function clientOf(state: SandboxState): MeshClient {
  if (!state.mesh)
    throw new SandboxError(`${state.name} runs without a mesh (--no-mesh): there is nothing to ask`, [
      'mesh-sandbox down, then mesh-sandbox up',
    ]);
  return new MeshClient({ url: `http://127.0.0.1:${state.apiPort}`, token: state.apiToken });
}

/** The runtime in which a sandbox runs, as it was chosen when it was made. */
export function runtimeOf(state: SandboxState): Promise<Runtime> {
  return chooseRuntime({ kind: state.runtime, dockerHost: state.dockerHost, owner: state.owner });
}

/** The parts of a sandbox, for logs and requests from inside. */
export async function hostOf(context: Context, state: SandboxState): Promise<SandboxHost> {
  return (await runtimeOf(state)).sandbox(sandboxPlan(context.home, state));
}
