import type { Command } from 'commander';
import type { Finding } from '../../model/finding.js';
import { versionAt } from '../../platform/version.js';
import { packageRoot } from '../../runtime/programs.js';
import { SandboxError } from '../../runtime/runtime.js';
import { type Context, clientOf, findSandbox } from '../context.js';
import { namedFiles, withFiles } from '../files-option.js';
import { countFindings, printFindings } from '../findings-text.js';
import { flavorNamed } from '../names.js';
import { EXIT } from '../output.js';
import { policyFiles } from '../policy-files.js';
import { sarifOf } from '../sarif.js';

interface AnalyzeFlags {
  readonly filename: string[];
  readonly app?: string;
  readonly flavor?: string;
  readonly offline?: boolean;
  readonly suppress: string[];
  readonly failOn: string;
  readonly output: string;
  readonly name?: string;
}

const collect = (value: string, before: string[]): string[] => [...before, ...value.split(',')];

/** `analyze`: mistakes before traffic finds them. */
export function addAnalyze(program: Command, context: Context): void {
  const command = program
    .command('analyze')
    .description('find mistakes in policies before traffic does; without a sandbox by the files alone');
  withFiles(command, '; none = what is applied')
    .option('--app <source>', 'judge by this sample or Compose file instead of a running sandbox')
    .option('--flavor <mesh>', 'which mesh would obey them: istio, linkerd or consul (default of files: istio)')
    .option('--offline', 'judge by the files alone, even where a sandbox runs')
    .option('--suppress <codes>', 'codes that are not told, e.g. IST0118 (repeatable)', collect, [])
    .option('--fail-on <level>', 'exit with 3 from this level on: error, warning or info', 'error')
    .option('-o, --output <format>', 'text, json or sarif', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (paths: string[], flags: AnalyzeFlags) => {
      const all = await findingsOf(context, namedFiles(paths, flags), flags);
      const findings = all.filter(({ code }) => !flags.suppress.includes(code));
      const levels = ['error', 'warning', 'info'];
      const upTo = levels.indexOf(flags.failOn);
      if (upTo < 0) throw new SandboxError(`${JSON.stringify(flags.failOn)} is not one of ${levels.join(', ')}`);
      if (findings.some(({ level }) => levels.indexOf(level) <= upTo)) process.exitCode = EXIT.findings;
      show(context, findings, flags.output);
    });
}

async function findingsOf(
  context: Context,
  paths: readonly string[],
  flags: AnalyzeFlags,
): Promise<readonly Finding[]> {
  const files = paths.length === 0 ? [] : policyFiles(paths);
  const ownWorld = flags.app !== undefined || flags.flavor !== undefined || flags.offline === true;
  const running = context.home.list().length > 0 && !ownWorld;
  if (running || (flags.name !== undefined && flags.offline !== true))
    return (await clientOf(findSandbox(context, flags.name)).call('analyzeResources', { files })).findings;
  if (files.length === 0)
    throw new SandboxError('no sandbox is running, and no files are named', [
      'mesh-sandbox analyze policies.yaml',
      'mesh-sandbox up',
    ]);
  const [{ readResources }, { analyze }] = await Promise.all([
    import('../../resources/read.js'),
    import('../../resources/analysis/analyze.js'),
  ]);
  const flavor = flavorNamed(flags.flavor ?? 'istio').name;
  const app = flags.app === undefined ? null : (await import('../app-source.js')).loadApp(context, flags.app);
  const { resources, findings } = readResources(files, 0);
  return [...findings, ...analyze(resources, app, flavor)];
}

function show({ output }: Context, findings: readonly Finding[], format: string): void {
  if (format === 'json') return output.json(findings);
  if (format === 'sarif') return output.print(JSON.stringify(sarifText(findings), null, 2));
  printFindings(findings, output, (line) => output.print(line));
  output.say(findings.length === 0 ? `${output.style('green', '✓')} nothing was found` : countFindings(findings));
}

function sarifText(findings: readonly Finding[]): unknown {
  return sarifOf(findings, versionAt(packageRoot()));
}
