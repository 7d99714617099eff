import type { Command } from 'commander';
import type { ApplyResult, ResourceView } from '../../protocol/api-types.js';
import { toYaml } from '../../yaml/write.js';
import { printApplied } from '../applied-text.js';
import { type Context, clientOf, findSandbox } from '../context.js';
import { namedFiles, withFiles } from '../files-option.js';
import { EXIT, table } from '../output.js';
import { policyFiles } from '../policy-files.js';
import { badOf, statusText } from '../status-text.js';

interface ApplyFlags {
  readonly filename: string[];
  readonly dryRun?: boolean;
  readonly output: string;
  readonly name?: string;
}

interface DeleteFlags {
  readonly filename: string[];
  readonly namespace?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly output: string;
  readonly name?: string;
}

interface GetFlags {
  readonly namespace?: string;
  readonly output: string;
  readonly name?: string;
}

const collect = (path: string, before: string[]): string[] => [...before, path];

/** `apply`, `delete`, `get`: the team's policies, as `kubectl` has them. */
export function addResources(program: Command, context: Context): void {
  const apply = program
    .command('apply')
    .description('apply policy files (Istio, Gateway API, Linkerd, Consul, Kubernetes): all of it or nothing');
  withFiles(apply)
    .option('--dry-run', 'say what would happen, and change nothing')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (paths: string[], flags: ApplyFlags) => {
      const client = clientOf(findSandbox(context, flags.name));
      const files = policyFiles(namedFiles(paths, flags));
      const result = await client.call('applyResources', { files, dryRun: flags.dryRun ?? false });
      finish(context, result, flags.output);
    });
  program
    .command('delete')
    .description('delete the resources of files, or one: delete virtualservice reviews')
    .argument('[kind]', 'e.g. virtualservice, or virtualservice/NAME')
    .argument('[resource]', 'its name')
    .option('-f, --filename <path>', 'file, folder or - for standard input (repeatable)', collect, [])
    .option('-n, --namespace <namespace>', 'namespace of the resource', 'default')
    .option('--all', 'every resource')
    .option('--dry-run', 'say what would happen, and change nothing')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (kind: string | undefined, resource: string | undefined, flags: DeleteFlags) => {
      const client = clientOf(findSandbox(context, flags.name));
      const result = await client.call('deleteResources', {
        ...(flags.filename.length === 0 ? {} : { files: policyFiles(flags.filename) }),
        ...named(kind, resource),
        ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
        ...(flags.all === undefined ? {} : { all: flags.all }),
        dryRun: flags.dryRun ?? false,
      });
      finish(context, result, flags.output);
    });
  program
    .command('get')
    .description('resources that are in force: get, get virtualservices, get vs reviews -o yaml')
    .argument('[kind]', 'e.g. virtualservice, vs, httproute; several: vs,dr; one: vs/NAME')
    .argument('[resource]', 'its name')
    .option('-n, --namespace <namespace>', 'only this namespace')
    .option('-A, --all-namespaces', 'every namespace, as without -n')
    .option('-o, --output <format>', 'text, yaml or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (given: string | undefined, resource: string | undefined, flags: GetFlags) => {
      const client = clientOf(findSandbox(context, flags.name));
      const { kind, name } = named(given, resource);
      const wanted = kind === undefined || kind === 'all' ? [{}] : kind.split(',').map((one) => ({ kind: one }));
      const which = {
        ...(name === undefined ? {} : { name }),
        ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
      };
      const lists = await Promise.all(wanted.map((one) => client.call('resources', { ...one, ...which })));
      const found = lists.flat();
      if (flags.output === 'json') context.output.json(found);
      else if (flags.output === 'yaml') context.output.print(yamlOf(found));
      else printResources(context, found, kind);
    });
}

/** `vs reviews` and `vs/reviews`. */
function named(kind: string | undefined, name: string | undefined): { kind?: string; name?: string } {
  const [first = '', second = name] = kind?.split('/') ?? [];
  return { ...(kind === undefined ? {} : { kind: first }), ...(second === undefined ? {} : { name: second }) };
}

/** As they were written, each with its status in the place of one that it brought along. */
function yamlOf(found: readonly ResourceView[]): string {
  const documents = new Map<string, ResourceView[]>();
  for (const one of found) documents.set(one.text, [...(documents.get(one.text) ?? []), one]);
  return [...documents]
    .map(([text, resources]) => {
      const written = text.replace(/^---.*\n/, '').trimEnd();
      const [only] = resources;
      // The resources of a List share its text.
      if (only?.status === undefined || resources.length > 1) return written;
      return `${written.replace(/^status:.*(?:\n[ \t-].*)*\n?/m, '').trimEnd()}\n${toYaml({ status: only.status }).trimEnd()}`;
    })
    .join('\n---\n');
}

function printResources({ output }: Context, found: readonly ResourceView[], kind: string | undefined): void {
  if (found.length === 0)
    return output.say(
      output.typed(
        kind === undefined ? 'nothing; mesh-sandbox apply FILE applies policies' : `there is no ${kind} in force`,
      ),
    );
  const rows = found.map(({ kind, namespace, name, apiVersion, source, status }) => [
    kind,
    namespace,
    name,
    apiVersion,
    status === undefined ? '' : statusText(status),
    `${source.file}:${source.line}`,
  ]);
  for (const line of table(['KIND', 'NAMESPACE', 'NAME', 'VERSION', 'STATUS', 'FROM'], rows)) output.print(line);
  for (const { kind, namespace, name, status } of found)
    for (const { type, status: value, reason, message } of badOf(status ?? {}))
      output.say(
        `${output.style('yellow', '!')} ${kind} ${namespace}/${name}: ${type}=${value} (${reason})${message === '' ? '' : `: ${message}`}`,
      );
}

/** What became of it, and the exit code: 3 when files are wrong, 1 when a sidecar refused. */
function finish(context: Context, result: ApplyResult, format: string): void {
  const { output } = context;
  const wrong = result.findings.some(({ level }) => level === 'error');
  if (!result.applied && !result.dryRun) process.exitCode = wrong ? EXIT.findings : EXIT.failed;
  // Files of which nothing is obeyed are a mistake too.
  const nothing = result.changes.length === 0 && result.findings.length > 0;
  if ((result.dryRun && wrong) || nothing) process.exitCode = EXIT.findings;
  if (format === 'json') return output.json(result);
  printApplied(context, result);
}
