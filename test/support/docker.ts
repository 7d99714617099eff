import { execFileSync } from 'node:child_process';
import { describe } from 'vitest';

/** Why Docker tests cannot run here, or null when an engine answers. */
function whyNot(): string | null {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 10_000,
    });
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? 'no answer') : String(error);
  }
}

const problem = whyNot();

/**
 * A suite that needs a Docker Engine: runs when one answers; else it is skipped and says so loudly, or, with
 * MESH_SANDBOX_REQUIRE_DOCKER=1, fails.
 */
export function describeDocker(name: string, define: () => void): void {
  if (problem === null) return void describe(name, define);
  if (process.env['MESH_SANDBOX_REQUIRE_DOCKER'] === '1')
    throw new Error(`a Docker Engine is required, and none answers: ${problem}`);
  console.warn(`\n*** SKIPPED, no Docker Engine answers: ${name} (${problem}) ***\n`);
  describe.skip(name, define);
}

/** Ids of the containers, networks and volumes of an owner, or of everybody ('' = none at all). */
export function ownedBy(owner: string | null): string {
  const filter = owner === null ? ['-q'] : ['-q', '--filter', `label=dev.mesh-sandbox.owner=${owner}`];
  return [docker('ps', '-a', ...filter), docker('network', 'ls', ...filter), docker('volume', 'ls', ...filter)]
    .join('\n')
    .trim();
}

/** The docker command's output, for looking at what is there. */
export function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8' }).trim();
}
