import type { ApplyResult } from '../protocol/api-types.js';
import type { Context } from './context.js';
import { countFindings, printFindings } from './findings-text.js';
import { formatMs } from './output.js';

/** What became of an apply or delete: findings, refusals, changes, and when each sidecar obeyed. */
export function printApplied({ output }: Context, result: ApplyResult): void {
  printFindings(result.findings, output, (line) => output.say(line));
  if (result.findings.some(({ level }) => level === 'error')) {
    output.say(`${output.style('red', '✗')} nothing was changed: ${countFindings(result.findings)}`);
    return;
  }
  if (result.refused.length > 0) {
    for (const { workload, reason } of result.refused)
      output.say(`${output.style('red', '✗')} ${workload} refused: ${reason}`);
    output.say('nothing was changed: the resources stand as they were');
    return;
  }
  for (const { object, change } of result.changes)
    output.print(`${object} ${change}${result.dryRun ? ' (dry run)' : ''}`);
  if (result.changes.length === 0) output.say('there was nothing to do');
  else if (result.applied) for (const line of rolloutLines(result)) output.say(line);
}

/** So many sidecars are told one by one. */
const EACH = 12;

function rolloutLines({ sidecars, version }: ApplyResult): string[] {
  if (sidecars.length === 0) return ['no sidecar is concerned: nothing changes for anybody'];
  const slowest = sidecars.reduce((a, b) => (b.ms > a.ms ? b : a));
  const who = sidecars.length === 1 ? `${slowest.workload} obeys` : `all ${sidecars.length} sidecars concerned obey`;
  const last = sidecars.length === 1 ? '' : ` (${slowest.workload} last)`;
  const each = sidecars.map(({ workload, ms }) => `${workload} ${formatMs(ms)}`).join(' · ');
  return [
    ...(sidecars.length > 1 && sidecars.length <= EACH ? [`  ${each}`] : []),
    `${who} version ${version} after ${formatMs(slowest.ms)}${last}`,
  ];
}
