import { formatProblem, readApp } from '../../src/compose/read-app.js';
import type { AppSpec, WorkloadSpec } from '../../src/model/app.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The app of a file that must be right. */
export function appIn(text: string, environment: Environment = {}): AppSpec {
  const result = readApp({ text, file: 'c.yaml', environment });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.app;
}

/** What is wrong with a file, as the user is told. */
export function problemsIn(text: string, environment: Environment = {}): string[] {
  const result = readApp({ text, file: 'c.yaml', environment });
  return result.ok ? [] : result.problems.map(formatProblem);
}

/** The only workload of a file with these lines below `services.web`; it has an image and port 80. */
export function webWith(lines: string, environment: Environment = {}): WorkloadSpec {
  return appIn(webFile(lines), environment).workloads[0] as WorkloadSpec;
}

/** A file with one service; `lines` begin at line 5. */
export function webFile(lines: string): string {
  const indented = lines.replace(/^/gm, '    ');
  return `services:\n  web:\n    image: i\n    expose: [80]\n${indented}\n`;
}

export function warningsIn(text: string): string[] {
  return appIn(text).warnings.map(
    ({ message, source }) => `${source === null ? '' : `${source.line}:${source.column} `}${message}`,
  );
}
