import type { Finding } from '../model/finding.js';

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

/** Findings as SARIF 2.1.0, which code hosts show beside the lines. */
export function sarifOf(findings: readonly Finding[], version: string): unknown {
  const rules = [...new Set(findings.map(({ code }) => code))].toSorted();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'mesh-sandbox', version, rules: rules.map((id) => ({ id })) } },
        results: findings.map(({ code, level, object, source, message, hint }) => ({
          ruleId: code,
          level: LEVELS[level],
          message: {
            text: [object === '' ? message : `${object}: ${message}`, hint].filter((part) => part !== '').join('. '),
          },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(source.file) },
                region: { startLine: source.line, startColumn: source.column },
              },
            },
          ],
        })),
      },
    ],
  };
}
