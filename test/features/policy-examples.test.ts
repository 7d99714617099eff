import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readApp } from '../../src/compose/read-app.js';
import { flavorOf } from '../../src/model/flavor.js';
import { runOffline } from '../../src/policy-test/run.js';
import { readSuite } from '../../src/policy-test/suite.js';
import { analyze } from '../../src/resources/analysis/analyze.js';
import { policiesOf } from '../../src/resources/policies.js';
import { readResources } from '../../src/resources/read.js';

const root = resolve(import.meta.dirname, '../..');
const bookinfo = () => {
  const text = readFileSync(join(root, 'compose/bookinfo.yaml'), 'utf8');
  const read = readApp({ text, file: 'compose/bookinfo.yaml', environment: {} });
  if (!read.ok) throw new Error('Bookinfo cannot be read');
  return read.app;
};

describe.each(['linkerd', 'consul'] as const)('examples/%s', (flavor) => {
  const folder = join(root, 'examples', flavor);
  const fileOf = (name: string) => ({ name, text: readFileSync(join(folder, name), 'utf8') });
  const { suite } = readSuite('tests.yaml', fileOf('tests.yaml').text);
  const { resources } = readResources((suite?.policies ?? []).map(fileOf), 1);
  const results = runOffline(suite?.tests ?? [], {
    app: bookinfo(),
    policies: policiesOf(resources, flavor),
    flavor: flavorOf(suite?.flavor ?? ''),
    mtls: 'permissive',
  });

  it('has tests, of its flavour', () => {
    expect(suite?.flavor).toBe(flavor);
    expect(results.length).toBeGreaterThan(5);
  });

  it.each(results.map(({ name, failures }) => [name, failures] as const))('%s', (_, failures) => {
    expect(failures).toEqual([]);
  });

  it('can be applied as a folder, its tests being told and passed by', () => {
    const read = readResources(
      readdirSync(folder)
        .filter((name) => /\.(yaml|json)$/.test(name))
        .map(fileOf),
      1,
    );
    expect(read.findings.map(({ level, hint }) => [level, hint])).toEqual([['info', 'mesh-sandbox test FILE runs it']]);
    expect(read.resources.length).toBeGreaterThan(5);
  });

  it('holds no error, and nothing of its dialect that is likely to be wrong', () => {
    const files = readdirSync(folder).filter((name) => /\.(yaml|json)$/.test(name) && name !== 'tests.yaml');
    const read = readResources(files.map(fileOf), 1);
    expect(read.findings).toEqual([]);
    const told = analyze(read.resources, bookinfo(), flavor);
    expect(told.filter(({ code, level }) => level === 'error' || code.startsWith('MS02'))).toEqual([]);
  });
});
