import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { freePort } from '../../src/runtime/ports.js';
import type { SandboxHost, SandboxPlan } from '../../src/runtime/runtime.js';
import { appOf, workload } from '../support/apps.js';

const here = join(import.meta.dirname, 'programs');
const root = join(import.meta.dirname, '../..');

/** A folder of programs as `dist/container` is, with test programs in place of the mesh's and the real probe. */
export async function testPrograms(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-programs-'));
  for (const name of ['proxy', 'control-plane', 'load'])
    copyFileSync(join(here, 'proxy.cjs'), join(folder, `${name}.cjs`));
  copyFileSync(join(here, 'app.cjs'), join(folder, 'app.cjs'));
  await build({
    entryPoints: [join(root, 'src/runtime/probe/main.ts')],
    outfile: join(folder, 'probe.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  return folder;
}

/** A sandbox of `count` workloads `front`, `back-v1`, `w2`, …; the first one knows the second. Ids never repeat. */
export async function testPlan(owner: string, count = 2): Promise<SandboxPlan> {
  const id = randomBytes(4).toString('hex');
  const command = ['node', '/opt/mesh-sandbox/app.cjs'];
  const names = ['front', 'back-v1', ...Array.from({ length: 8 }, (_, i) => `w${i + 2}`)].slice(0, count);
  const workloads = names.map((name) =>
    workload(name, { command, environment: name === 'front' ? { BACK_URL: 'http://back:9080/x' } : {} }),
  );
  const [gatewayPort, apiPort] = [await freePort(), await freePort()];
  const directory = mkdtempSync(join(tmpdir(), 'mesh-sandbox-'));
  return { id, name: `test-${id}`, owner, app: appOf(workloads), gatewayPort, apiPort, directory };
}

/** All log lines of a part so far; none when it has written no log yet. */
export async function logLines(host: SandboxHost, part: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const line of host.logs(part, { tail: 1000, follow: false })) lines.push(line);
  } catch {
    return [];
  }
  return lines;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
