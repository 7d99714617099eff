import type { Command } from 'commander';
import type { Context } from '../context.js';
import { EXIT } from '../output.js';

export function addDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('check this machine: Node.js, Docker, ports, leftovers')
    .option('-o, --output <format>', 'text or json', 'text')
    .action(async (flags: { output: string }) => {
      const { output, home, environment } = context;
      const { diagnose } = await import('../../runtime/diagnose.js');
      const findings = await diagnose({ environment, owner: home.owner(), known: home.list().map(({ id }) => id) });
      if (findings.some(({ state }) => state === 'failed')) process.exitCode = EXIT.findings;
      if (flags.output === 'json') return output.json(findings);
      for (const { check, state, text, hint } of findings) {
        const mark =
          state === 'ok'
            ? output.style('green', '√')
            : state === 'warning'
              ? output.style('yellow', '‼')
              : output.style('red', '×');
        output.print(`${mark} ${check.padEnd(16)} ${text}`);
        if (hint !== '') output.print(`    ${output.style('cyan', '→')} ${hint}`);
      }
    });
}
