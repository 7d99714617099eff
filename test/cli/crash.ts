import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Cli, finished } from '../support/cli.js';
import { until } from '../support/until.js';
import type { Engine } from './scenario.js';

/** What a crash at a bad moment must not leave behind, on one runtime. */
export function crashScenario(runtime: 'docker' | 'local', engine: Pick<Engine, 'leftovers'>): void {
  describe(`crashes on ${runtime}`, () => {
    const cli = new Cli();
    afterAll(() => cli.close());
    const nothingLeft = () => until(async () => (await engine.leftovers(cli)).length === 0, 'nothing is left', 30_000);
    const keeper = (): number =>
      (
        JSON.parse(readFileSync(join(cli.home, 'sandboxes/bookinfo/sandbox.json'), 'utf8')) as {
          keeper: { pid: number };
        }
      ).keeper.pid;
    const atStep = async (step: string, act: (child: ReturnType<Cli['start']>) => void) => {
      const child = cli.start('up', '-d', '--runtime', runtime, '--port', '0', '--json');
      child.stdout?.on('data', (text: Buffer) => {
        if (text.toString().includes(`"name":"${step}","state":"started"`)) act(child);
      });
      return finished(child);
    };

    it.each(['network', 'control plane', 'sidecars', 'apps'])(
      'SIGKILL of the command during %s: the keeper undoes everything',
      async (step) => {
        await atStep(step, (child) => child.kill('SIGKILL'));
        await nothingLeft();
      },
    );

    it('Ctrl-C in the middle: everything is removed, exit code 130', async () => {
      const { code, stderr } = await atStep('sidecars', (child) => child.kill('SIGINT'));
      expect(code).toBe(130);
      expect(stderr).toContain('interrupted; everything was removed');
      await nothingLeft();
    });

    it('SIGKILL of the keeper: down removes what is left, and up starts afresh', async () => {
      const first = await cli.run('up', '-d', '--runtime', runtime, '--port', '0');
      expect(first.code, first.stderr).toBe(0);
      process.kill(keeper(), 'SIGKILL');
      const again = await cli.run('up', '-d', '--runtime', runtime, '--port', '0');
      expect(again.stderr).toContain('left behind by a crash');
      expect(again.code, again.stderr).toBe(0);
      process.kill(keeper(), 'SIGKILL');
      const down = await cli.run('down');
      expect(down.code, down.stderr).toBe(0);
      await nothingLeft();
    });
  });
}
