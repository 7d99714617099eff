import type { Command } from 'commander';
import { SandboxError } from '../../runtime/runtime.js';
import type { Context } from '../context.js';

/** Names under which schemas are asked for, and what each is of. */
const SCHEMAS = {
  fault: 'our kind Fault',
  'rate-limit': 'our kind RateLimit',
  'policy-test': 'files of policy tests',
  compose: 'Compose files with x-mesh',
} as const;

/** `schema`, `kinds`: what our own files may hold, for editors, and what of each dialect is obeyed. */
export function addSchema(program: Command, context: Context): void {
  program
    .command('schema')
    .description('JSON Schemas of our own kinds and of the Compose extension, for editors')
    .argument('[name]', Object.keys(SCHEMAS).join(', '))
    .action(async (name: string | undefined) => {
      if (name === undefined) {
        for (const [known, what] of Object.entries(SCHEMAS)) context.output.print(`${known.padEnd(12)} ${what}`);
        return;
      }
      const { schemas } = await import('../schemas.js');
      const schema = schemas()[name];
      if (schema === undefined)
        throw new SandboxError(`there is no schema ${JSON.stringify(name)}`, [
          `there are: ${Object.keys(SCHEMAS).join(', ')}`,
        ]);
      context.output.json(schema);
    });
  program
    .command('kinds')
    .description('kinds of all dialects that are read, or the fields of one: what each takes, and what is not obeyed')
    .argument('[kind]', 'e.g. VirtualService')
    .option('-o, --output <format>', 'text or json', 'text')
    .action(async (name: string | undefined, flags: { output: string }) => {
      const [{ KINDS }, { kindHint, kindsNamed }, { fieldsOf }] = await Promise.all([
        import('../../resources/kinds.js'),
        import('../../resources/kind-names.js'),
        import('../../resources/support.js'),
      ]);
      const found = name === undefined ? KINDS : kindsNamed(name);
      if (found.length === 0) throw new SandboxError(`no kind ${JSON.stringify(name)} is read`, [kindHint(name ?? '')]);
      const told = found.map((kind) => ({
        kind: kind.kind,
        dialect: kind.dialect,
        versions: kind.versions.map((version) => (kind.group === '' ? version : `${kind.group}/${version}`)),
        ...(name === undefined ? {} : { fields: fieldsOf(kind) }),
      }));
      if (flags.output === 'json') return context.output.json(told);
      for (const { kind, dialect, versions, fields = [] } of told) {
        context.output.print(`${kind.padEnd(28)} ${dialect.padEnd(12)} ${versions.join(', ')}`);
        for (const { path, takes, unsupported } of fields)
          context.output.print(`  ${path.padEnd(52)} ${unsupported === '' ? takes : `not obeyed: ${unsupported}`}`);
      }
    });
}
