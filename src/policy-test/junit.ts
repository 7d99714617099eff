import type { TestResult } from './run.js';

/** Results as JUnit XML, which every CI reads. */
export function junitOf(file: string, results: readonly TestResult[]): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const seconds = (ms: number): string => (ms / 1_000).toFixed(3);
  const total = results.reduce((sum, { ms }) => sum + ms, 0);
  const cases = results.map(({ name, failures, source, ms }) => {
    const head = `    <testcase name="${escaped(name)}" classname="${escaped(file)}" file="${escaped(source.file)}" line="${source.line}" time="${seconds(ms)}"`;
    if (failures.length === 0) return `${head}/>`;
    const [first = ''] = failures;
    return `${head}>\n      <failure message="${escaped(first)}">${escaped(failures.join('\n'))}</failure>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${results.length}" failures="${failed}" time="${seconds(total)}">`,
    `  <testsuite name="${escaped(file)}" tests="${results.length}" failures="${failed}" errors="0" skipped="0" time="${seconds(total)}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** What XML 1.0 cannot hold at all is left out. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
