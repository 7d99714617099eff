import { Command, CommanderError } from 'commander';
import { MeshApiError } from '../client/mesh-client.js';
import { SourceError } from '../compose/samples.js';
import { versionAt } from '../platform/version.js';
import { packageRoot } from '../runtime/programs.js';
import { SandboxError } from '../runtime/runtime.js';
import { Home } from '../sandbox/home.js';
import { addAnalyze } from './commands/analyze.js';
import { addDiff } from './commands/diff.js';
import { addDoctor } from './commands/doctor.js';
import { addFault } from './commands/fault.js';
import { addLifecycle } from './commands/lifecycle.js';
import { addLogs } from './commands/logs.js';
import { addRequests } from './commands/requests.js';
import { addResources } from './commands/resources.js';
import { addSchema } from './commands/schema.js';
import { addSettings } from './commands/settings.js';
import { addStatus } from './commands/status.js';
import { addTest } from './commands/test.js';
import { addUp } from './commands/up.js';
import type { Context } from './context.js';
import { EXIT, Output } from './output.js';

/** In the order of `--help`. What a command needs to do its work it loads then: reading the help loads none of it. */
const COMMANDS = [
  addUp,
  addLifecycle,
  addStatus,
  addRequests,
  addResources,
  addDiff,
  addAnalyze,
  addTest,
  addSchema,
  addFault,
  addSettings,
  addLogs,
  addDoctor,
];

/** Runs the command line and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const verbose = argv.includes('--verbose');
  const color = argv.includes('--no-color') ? false : argv.includes('--color') ? true : null;
  const output = new Output(process.env, color);
  const context: Context = { home: new Home(process.env), output, environment: process.env };
  // A reader that goes away (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    const program = programFor(context);
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error, output, verbose);
  }
}

function programFor(context: Context): Command {
  const program = new Command('mesh-sandbox')
    .description('A living service mesh on your laptop in seconds, without Kubernetes.')
    .version(versionAt(packageRoot()), '-V, --version')
    .option('--verbose', 'stack traces with errors')
    .option('--no-color', 'no colour (NO_COLOR does the same)')
    .option('--color', 'colour even without a terminal')
    .showSuggestionAfterError(true)
    .exitOverride()
    .addHelpText(
      'after',
      '\nStart with:\n  mesh-sandbox up\n\nExit codes: 0 done · 1 failed · 2 wrong usage · 3 a check found errors · 130 interrupted',
    );
  for (const add of COMMANDS) add(program, context);
  return program;
}

function report(error: unknown, output: Output, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const hints =
    error instanceof SandboxError || error instanceof SourceError
      ? error.hints
      : error instanceof MeshApiError && error.hint !== ''
        ? [error.hint]
        : [];
  if (error instanceof SandboxError && error.message === 'interrupted') {
    output.say('interrupted; everything was removed');
    return EXIT.interrupted;
  }
  output.error(error instanceof Error ? error.message : String(error), hints);
  if (verbose && error instanceof Error) output.say(error.stack ?? '');
  return EXIT.failed;
}
