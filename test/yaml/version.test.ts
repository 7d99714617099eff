import { expect, it } from 'vitest';
import { Findings } from '../../src/yaml/problems.js';
import { parseYamlDocuments } from '../../src/yaml/view.js';

it('a document that names its version of YAML is read by it, and no other is', () => {
  const findings = new Findings();
  const documents = parseYamlDocuments(
    'a: yes\n...\n%YAML 1.1\n---\na: yes\n...\n%YAML 1.2\n---\na: yes\n',
    'f',
    findings,
  );
  expect(findings.problems).toEqual([]);
  expect(documents?.map(({ view }) => view.entries('it')[0]?.value.scalar)).toEqual(['yes', true, 'yes']);
});
