import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { placeText } from '../../model/finding.js';
import type { RuleCoverage } from '../../policy-test/coverage.js';
import type { TestResult } from '../../policy-test/run.js';
import type { Suite } from '../../policy-test/suite.js';
import { SandboxError } from '../../runtime/runtime.js';
import { formatProblem } from '../../yaml/problems.js';
import type { Context } from '../context.js';
import { printFindings } from '../findings-text.js';
import { flavorNamed } from '../names.js';
import { EXIT, formatMs, printable } from '../output.js';
import { policyFiles } from '../policy-files.js';

interface TestFlags {
  readonly traffic?: boolean;
  readonly coverage?: boolean;
  readonly junit?: string;
  readonly output: string;
  readonly name?: string;
}

interface SuiteResult {
  readonly file: string;
  readonly results: readonly TestResult[];
  readonly coverage: readonly RuleCoverage[];
}

/** `test`: policy unit tests, without traffic and with it. */
export function addTest(program: Command, context: Context): void {
  program
    .command('test')
    .description('policy tests in YAML: given these policies and this request, what must come of it')
    .argument('<files...>', 'files of tests (README, “A file of policy tests”)')
    .option('--traffic', 'send the requests in a running sandbox; its resources are as they were afterwards')
    .option('--coverage', 'rules that decided requests, and rules that never did')
    .option('--junit <file>', 'results as JUnit XML too')
    .option('-o, --output <format>', 'text, json or junit', 'text')
    .option('--name <name>', 'which sandbox, with --traffic')
    .action(async (files: string[], flags: TestFlags) => {
      const suites: SuiteResult[] = [];
      for (const file of files) suites.push(await runSuite(context, file, flags));
      await report(context, suites, flags);
      if (suites.some(({ results }) => results.some(({ failures }) => failures.length > 0)))
        process.exitCode = EXIT.findings;
    });
}

async function runSuite(context: Context, file: string, flags: TestFlags): Promise<SuiteResult> {
  const suite = await suiteOf(context, file);
  const folder = dirname(file);
  const inFolder = (path: string): string => (isAbsolute(path) || path === '-' ? path : join(folder, path));
  const policies = suite.policies === undefined ? [] : policyFiles(suite.policies.map(inFolder));
  const [{ runOffline }, { coverageOf }, { readResources }, { policiesOf }] = await Promise.all([
    import('../../policy-test/run.js'),
    import('../../policy-test/coverage.js'),
    import('../../resources/read.js'),
    import('../../resources/policies.js'),
  ]);
  const { resources, findings } = readResources(policies, 0);
  if (findings.some(({ level }) => level === 'error')) {
    printFindings(findings, context.output, (line) => context.output.say(line));
    throw new SandboxError(`the policies of ${file} would not be applied`, [`mesh-sandbox analyze -f ${file}`]);
  }
  const flavor = flavorNamed(suite.flavor ?? 'istio');
  const compiled = policiesOf(resources, flavor.name);
  const results =
    flags.traffic === true
      ? await (await import('../traffic-tests.js')).runWithTraffic(context, { suite, policies, name: flags.name })
      : runOffline(suite.tests, {
          app: (await import('../app-source.js')).loadApp(context, appOf(suite, folder)),
          policies: compiled,
          flavor,
          mtls: suite.mtls ?? flavor.mtls,
        });
  return {
    file,
    results,
    coverage: coverageOf(
      compiled,
      results.flatMap(({ met }) => met),
    ),
  };
}

/** A sample by its name, or a path from the folder of the file. */
function appOf({ app }: Suite, folder: string): string | null {
  if (app === undefined) return null;
  return /^[a-z0-9-]+$/.test(app) ? app : resolve(folder, app);
}

async function suiteOf({ output }: Context, file: string): Promise<Suite> {
  const { readSuite } = await import('../../policy-test/suite.js');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new SandboxError(`there is no ${file}`, [`it was looked for in ${process.cwd()}`]);
  }
  const { suite, problems } = readSuite(file, text);
  for (const problem of problems) output.say(formatProblem(problem));
  if (suite !== null) return suite;
  throw new SandboxError(`${file} has ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`);
}

async function report({ output }: Context, suites: readonly SuiteResult[], flags: TestFlags): Promise<void> {
  const { junitOf } = await import('../../policy-test/junit.js');
  const junit = suites.map(({ file, results }) => junitOf(file, results)).join('');
  if (flags.junit !== undefined) writeFileSync(flags.junit, junit);
  if (flags.output === 'junit') return output.print(junit.trimEnd());
  if (flags.output === 'json') return output.json(suites);
  for (const { file, results, coverage } of suites) {
    for (const { name, failures, source, ms } of results) {
      const passed = failures.length === 0;
      const mark = passed ? output.style('green', '✓') : output.style('red', '✗');
      output.print(`${mark} ${printable(name)}${ms === 0 ? '' : output.style('dim', ` ${formatMs(ms)}`)}`);
      if (!passed) output.print(`    ${output.style('dim', printable(placeText(source)))}`);
      for (const failure of failures) output.print(`    ${printable(failure)}`);
    }
    const failed = results.filter(({ failures }) => failures.length > 0).length;
    output.say(`${printable(file)}: ${results.length - failed} passed, ${failed} failed`);
    if (flags.coverage === true) printCoverage(coverage, output);
  }
}

function printCoverage(coverage: readonly RuleCoverage[], output: Context['output']): void {
  const met = coverage.filter(({ hits }) => hits > 0).length;
  output.print('');
  output.print(output.style('bold', `${met} of ${coverage.length} rules decided a request`));
  for (const { rule, source, hits } of coverage) {
    const count = hits === 0 ? output.style('yellow', '   never') : `${String(hits).padStart(5)} ×`;
    output.print(`  ${count}  ${printable(rule)} ${output.style('dim', `(${printable(source.file)}:${source.line})`)}`);
  }
}
