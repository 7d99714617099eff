import { formatProblem, readApp } from '../compose/read-app.js';
import { resolveSource } from '../compose/samples.js';
import type { AppSpec } from '../model/app.js';
import { packageRoot } from '../runtime/programs.js';
import { SandboxError } from '../runtime/runtime.js';
import type { Context } from './context.js';

/** Reads a sample or Compose file; all its problems at once. Throws SandboxError when it has any. */
export function loadApp({ output, environment }: Context, source: string | null): AppSpec {
  const { file, text } = resolveSource(source, process.cwd(), packageRoot());
  const result = readApp({ text, file, environment });
  if (result.ok) return result.app;
  for (const problem of result.problems) output.say(formatProblem(problem));
  throw new SandboxError(
    `${file} has ${result.problems.length} ${result.problems.length === 1 ? 'problem' : 'problems'}`,
  );
}
