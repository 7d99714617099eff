import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testEngine } from '../runtime/docker-bed.js';
import { type Cable, openCable } from '../support/cable.js';
import { Cli, finished } from '../support/cli.js';
import { describeDocker, ownedBy } from '../support/docker.js';

/**
 * `up` is killed at its first call of the engine, at its second, and so on until there are no more: the command and its
 * keeper, both at once and without a word. After each, `down` must leave nothing of ours and everything else.
 */
describeDocker('a crash of up at any call of the engine', () => {
  let cable: Cable;
  const step = Number(process.env['CRASH_STEP'] ?? 1);

  beforeAll(async () => {
    cable = await openCable((await testEngine()).host.replace('unix://', ''));
    // The image is there, so that every round is about the sandbox.
    const cli = new Cli();
    expect((await cli.run('up', '-d', '--runtime', 'docker', '--port', '0')).code).toBe(0);
    await cli.close();
  });
  afterAll(() => cable.close());

  it('leaves nothing after down', async () => {
    const foreign = ownedBy(null);
    const broken: string[] = [];
    let points = 0;
    for (let n = 1; ; n += step) {
      const round = await crashAt(cable, n);
      if (round === null) break;
      points++;
      if (round.left !== '') broken.push(`${n}: ${round.line}: ${round.left}`);
    }
    console.log(`${points} crash points, ${broken.length} with something left`);
    expect(broken).toEqual([]);
    expect(points).toBeGreaterThan(30 / step);
    expect(ownedBy(null)).toBe(foreign);
  });
});

/** One round; null when `up` was ready before its n-th call. */
async function crashAt(cable: Cable, n: number): Promise<{ line: string; left: string } | null> {
  const cli = new Cli();
  let calls = 0;
  let line = '';
  const child = cli.start(
    'up',
    '-d',
    '--runtime',
    'docker',
    '--docker-host',
    `tcp://127.0.0.1:${cable.port}`,
    '--port',
    '0',
  );
  cable.onRequest = (request) => {
    if (++calls !== n) return;
    line = request;
    const keeper = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.trim();
    if (keeper !== '') process.kill(Number(keeper), 'SIGKILL');
    child.kill('SIGKILL');
  };
  const { code } = await finished(child);
  cable.onRequest = null;
  await cable.unplug();
  await cable.plug();
  if (code === 0) {
    await cli.close();
    return null;
  }
  const owner = cli.owner();
  // The engine may still be at what it was asked for last; who types `down` later finds it.
  for (let i = 0; i < 3; i++) expect((await cli.run('down', '--all')).code).toBe(0);
  const left = ownedBy(owner);
  await cli.close();
  return { line, left };
}
