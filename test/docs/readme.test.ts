import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Cli } from '../support/cli.js';

/** The README's commands exist, with the options that it shows. */
const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const cli = new Cli();
afterAll(() => cli.close());

describe('README', () => {
  it('shows only commands and options that exist', async () => {
    const shown = [...readme.matchAll(/^(?:npm install && )?(?:npx )?mesh-sandbox ([a-z].*?)(?:\s+#.*)?$/gm)].map(
      (match) => match[1] ?? '',
    );
    const inTables = [...readme.matchAll(/^\| `([a-z][^`]*)`(?:[,/ ]*`([^`]*)`)*/gm)].map((match) => match[1] ?? '');
    expect(shown.length).toBeGreaterThan(8);
    const helps = new Map<string, string>();
    for (const command of [...shown, ...inTables]) {
      const words = command.split(/\s+/);
      const path =
        words[0] === 'fault' || words[0] === 'features'
          ? words.slice(0, 2).filter((word) => /^[a-z]+$/.test(word))
          : words.slice(0, 1);
      const name = path.join(' ');
      if (!helps.has(name)) helps.set(name, (await cli.run(...path, '--help')).stdout);
      const help = helps.get(name) ?? '';
      expect(help, name).toContain(`Usage: mesh-sandbox ${path[0]}`);
      for (const option of command.match(/--[a-z-]+/g) ?? []) expect(help, command).toContain(option);
    }
  });

  it('names the test command and the start command that package.json has', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
      scripts: Record<string, string>;
    };
    expect(readme).toContain('npm install && npx mesh-sandbox up');
    expect(manifest.bin['mesh-sandbox']).toBe('dist/cli/main.js');
    expect(manifest.scripts['test']).toBe('vitest run');
    expect(manifest.scripts['prepare']).toContain('build');
  });
});
