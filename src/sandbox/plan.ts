import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppSpec } from '../model/app.js';
import { SandboxError, type SandboxPlan } from '../runtime/runtime.js';
import type { Home, SandboxState } from './home.js';

/** The plan of a sandbox that exists, put together from what is remembered of it. Throws SandboxError when that is gone. */
export function sandboxPlan(home: Home, state: SandboxState): SandboxPlan {
  const directory = home.directoryOf(state.name);
  try {
    const app = JSON.parse(readFileSync(join(directory, 'app.json'), 'utf8')) as AppSpec;
    return {
      id: state.id,
      name: state.name,
      owner: state.owner,
      app,
      gatewayPort: state.gatewayPort,
      apiPort: state.apiPort,
      directory,
    };
  } catch (cause) {
    throw new SandboxError(
      `what is remembered of ${state.name} is incomplete`,
      [`mesh-sandbox down --name ${state.name}`],
      { cause },
    );
  }
}
