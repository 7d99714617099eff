import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { LocalRuntime } from '../../src/runtime/local/local-runtime.js';
import { until } from '../support/until.js';
import { logLines, removeFolder, testPlan, testPrograms } from './bed.js';
import { SECRET, type Stand } from './contract.js';

/** What only processes on the host can get wrong: files, environment, descendants, and a keeper that was killed. */
export function processTests(stand: () => Stand): void {
  describe('processes', () => {
    it('gives the app its port and the loopback addresses of its neighbours', async () => {
      const { host, listen, addresses } = stand();
      const [line = ''] = await logLines(host, 'front/app');
      expect(JSON.parse(line.slice('app '.length))).toMatchObject({
        PORT: String(addresses.appPorts('front')[0]?.target),
        BACK_URL: `http://127.0.0.1:${listen[0]}/x`,
      });
    });

    it('keeps the secret out of arguments, environment and files', () => {
      const { plan } = stand();
      const processes = readFileSync(join(plan.directory, 'processes.json'), 'utf8');
      expect(processes).not.toContain(SECRET);
      for (const { pid } of JSON.parse(processes) as { pid: number }[]) {
        if (process.platform !== 'linux') continue;
        expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain(SECRET);
        expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain(SECRET);
      }
      expect(statSync(join(plan.directory, 'processes.json')).mode & 0o777).toBe(0o600);
      expect(statSync(join(plan.directory, 'logs', 'gateway.log')).mode & 0o777).toBe(0o600);
    });

    it('takes an app’s own children along when the app dies', async () => {
      const { host, exits } = stand();
      const child = await childOf(host, 'front/app');
      expect(isAlive(child)).toBe(true);
      const before = exits.length;
      await host.signal('front/app', 'SIGTERM');
      await until(() => exits.slice(before).some(({ part }) => part === 'front/app'), 'the app ended');
      await until(() => !isAlive(child), 'its child ended');
    });

    it('starts nothing twice', async () => {
      const { host, plan } = stand();
      const before = readFileSync(join(plan.directory, 'processes.json'), 'utf8');
      await host.start('gateway', '{}');
      expect(readFileSync(join(plan.directory, 'processes.json'), 'utf8')).toBe(before);
    });

    it('says what to write when it does not know how to start an app', async () => {
      const plan = await testPlan('owner-of-tests', 1);
      const [front] = plan.app.workloads;
      if (front === undefined) throw new Error('no workload');
      const strange = { ...front, image: 'nginx', command: [] };
      const runtime = new LocalRuntime('test', '/nowhere');
      const host = runtime.sandbox({ ...plan, app: { ...plan.app, workloads: [strange] } });
      await host.open();
      await expect(host.start('front/app', null)).rejects.toMatchObject({
        hints: [expect.stringContaining('x-mesh.local'), expect.any(String)],
      });
      await runtime.remove(plan, plan.directory);
    });

    it('removes everything after its host process was killed, grandchildren included, from another process', async () => {
      const programs = await testPrograms();
      const program = join(programs, 'host.mjs');
      await build({
        entryPoints: [join(import.meta.dirname, 'programs/host.ts')],
        outfile: program,
        bundle: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'error',
      });
      const plan = await testPlan('owner-of-tests', 1);
      const host = spawn(process.execPath, [program, programs, JSON.stringify(plan)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const runtime = new LocalRuntime('test', programs);
      const other = runtime.sandbox(plan);
      const child = await childOf(other, 'front/app');
      host.kill('SIGKILL');
      const table = JSON.parse(readFileSync(join(plan.directory, 'processes.json'), 'utf8')) as { pid: number }[];
      expect(table).toHaveLength(2);
      // The app itself dies first and leaves its child alone in its group.
      const app = table[1]?.pid ?? 0;
      process.kill(app, 'SIGKILL');
      await until(() => !isAlive(app), 'the app ended');
      await runtime.remove(plan, plan.directory);
      await until(() => ![...table.map(({ pid }) => pid), child].some(isAlive), 'all of them ended');
      expect(existsSync(plan.directory)).toBe(false);
      removeFolder(programs);
    });
  });
}

/** Pid of the child that the test app says it has. */
async function childOf(host: Stand['host'], part: string): Promise<number> {
  let child = 0;
  await until(async () => {
    const line = (await logLines(host, part)).at(-1);
    child = line === undefined ? 0 : (JSON.parse(line.slice('app '.length)) as { child: number }).child;
    return child > 0;
  }, `${part} says its child`);
  return child;
}

/** True while the process runs; one that nobody has reaped yet does not. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
