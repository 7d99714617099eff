import { type Finding, placeText } from '../model/finding.js';
import { type Output, printable } from './output.js';

const COLORS = { error: 'red', warning: 'yellow', info: 'dim' } as const;

/** Findings as people read them: where and what on one line, what to write on the next. */
export function printFindings(findings: readonly Finding[], output: Output, print: (line: string) => void): void {
  for (const { code, level, object, source, message, hint } of findings) {
    const word = output.style(COLORS[level], level);
    const about = object === '' ? '' : `${printable(object)}: `;
    print(`${printable(placeText(source))} ${word} ${code} ${about}${printable(message)}`);
    if (hint !== '') print(`  ${output.style('cyan', '→')} ${printable(hint)}`);
  }
}

/** `2 errors, 1 warning`; '' = none. */
export function countFindings(findings: readonly Finding[]): string {
  return (['error', 'warning', 'info'] as const)
    .map((level) => [level, findings.filter((one) => one.level === level).length] as const)
    .filter(([, count]) => count > 0)
    .map(([level, count]) => (level === 'info' ? `${count} to know` : `${count} ${level}${count === 1 ? '' : 's'}`))
    .join(', ');
}
