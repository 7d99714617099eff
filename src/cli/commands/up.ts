import type { Command } from 'commander';
import { flavorText } from '../../model/flavor.js';
import { SandboxError } from '../../runtime/runtime.js';
import { type Context, DEFAULT_NAME } from '../context.js';
import { flavorNamed, safeName } from '../names.js';
import { duration, integer, number } from '../parse.js';
import type { UpFlags } from '../up-flags.js';

export function addUp(program: Command, context: Context): void {
  program
    .command('up')
    .description('start a mesh: a sample app (default: bookinfo) or a Compose file')
    .argument('[source]', 'sample name or Compose file')
    .option('-d, --detach', 'return when it is ready; it goes on in the background')
    .option('--runtime <runtime>', 'auto, docker or local', choice('auto', 'docker', 'local'), 'auto')
    .option('--name <name>', `name of the sandbox (default: the app's, e.g. ${DEFAULT_NAME})`, validName)
    .option('--seed <n>', 'seed of every chance, so that runs repeat', integer(0, 2 ** 31 - 1))
    .option(
      '--flavor <mesh>',
      'whose defaults hold: istio, linkerd, consul, or istio@1.23',
      (text) => flavorText(flavorNamed(text)),
      'istio',
    )
    .option(
      '-f, --filename <path>',
      'policy file or folder that is applied when it is ready (repeatable)',
      (path: string, before: string[]) => [...before, path],
      [],
    )
    .option('--port <port>', 'port of the gateway on 127.0.0.1; 0 = any free one', integer(0, 65535), 8080)
    .option('--load <rps>', 'requests per second of the built-in traffic', number(0, 5000))
    .option(
      '--mtls <mode>',
      'disable, permissive or strict (default: permissive; consul: strict)',
      choice('disable', 'permissive', 'strict'),
    )
    .option(
      '--certificate-life <time>',
      'how long certificates live (default of the flavor: 1h, linkerd 24h, consul 72h); 60s lets a room see them renewed',
      duration,
    )
    .option('--no-mesh', 'the same app behind a plain reverse proxy, without sidecars: the baseline')
    .option('--no-tui', 'do not open the terminal UI')
    .option('--docker-host <host>', 'engine to use, e.g. unix:///var/run/docker.sock')
    .option('--image <image>', 'image to use in place of our own')
    .option('--json', 'steps and events as JSON lines')
    .action(async (source: string | undefined, flags: UpFlags) => {
      // Readers, runtimes and screens are loaded when they are needed, not for --help.
      const { runUp } = await import('../up.js');
      await runUp(context, source ?? null, flags);
    });
}

function validName(name: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) return name;
  throw new SandboxError(`${JSON.stringify(name)} cannot be a name`, [
    `lower-case letters, digits and dashes, e.g. ${safeName(name)}`,
  ]);
}

function choice<T extends string>(...known: T[]) {
  return (value: string): T => {
    const found = known.find((word) => word === value);
    if (found !== undefined) return found;
    throw new SandboxError(`${JSON.stringify(value)} is not one of ${known.join(', ')}`);
  };
}
