import { join, posix } from 'node:path';
import type { WorkloadSpec } from '../../model/app.js';
import { IMAGE_NAME, IMAGE_PROGRAMS } from '../programs.js';
import { SandboxError } from '../runtime.js';

/**
 * How an app starts as a plain process: as `x-mesh.local` says, or, for our own image, by the same program from this
 * package. Throws with what to write when neither is there.
 */
export function appCommand(workload: WorkloadSpec, programs: string): string[] {
  if (workload.localCommand !== null) return [...workload.localCommand];
  const [program, script = '', ...rest] = workload.command;
  const ours = script.startsWith(`${IMAGE_PROGRAMS}/`) && posix.dirname(posix.normalize(script)) === IMAGE_PROGRAMS;
  if (workload.image === IMAGE_NAME && program === 'node' && ours) {
    return [process.execPath, join(programs, posix.basename(script)), ...rest];
  }
  throw new SandboxError(`the local runtime does not know how to start ${workload.name}`, [
    `say it in the Compose file: services.${workload.name}.x-mesh.local: ["npm", "start"]`,
    'or use the docker runtime',
  ]);
}
