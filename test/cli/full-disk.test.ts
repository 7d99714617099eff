import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Cli } from '../support/cli.js';

const disk = mkdtempSync(join(tmpdir(), 'mesh-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' }).status === 0;
if (!mounted) console.warn('\n*** SKIPPED, a small disk cannot be mounted here: the home on a full disk ***\n');

describe.skipIf(!mounted)('a home on a full disk', () => {
  const cli = new Cli(join(disk, 'home'));
  const fill = (leave = 0): void => {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, 'fill'), Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  };
  const empty = (): void => rmSync(join(disk, 'fill'), { force: true });

  afterAll(async () => {
    empty();
    await cli.close();
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it('stops up before anything is made, and says where and what to do', async () => {
    fill();
    const { code, stderr } = await cli.run('up', '-d', '--runtime', 'local', '--port', '0');
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot write to ${cli.home}: the disk is full`);
    expect(stderr).toContain('df -h');
    expect(stderr).toContain('set MESH_SANDBOX_HOME');
    expect((await cli.run('list')).stderr).toContain('no sandbox is running');
  });

  it.each([16, 32, 48])(
    'that is full after %i KiB more stops up in the middle, and nothing of it stays',
    async (kib) => {
      empty();
      fill(kib * 1024);
      const { code, stderr } = await cli.run('up', '-d', '--runtime', 'local', '--port', '0');
      expect(code).toBe(1);
      expect(stderr).toMatch(/the disk is full|no space left on device|ended while starting/);
      expect((await cli.run('list')).stderr).toContain('no sandbox is running');
    },
  );

  it('that fills up while a sandbox runs costs no request, and down works', async () => {
    empty();
    expect((await cli.run('up', '-d', '--runtime', 'local', '--port', '0')).code).toBe(0);
    fill();
    const { status } = await cli.json<{ status: { gatewayUrl: string } }>('status', '-o', 'json');
    // Every change of the configuration wants to be stored.
    const added = await cli.run('fault', 'add', '--to', 'details', '--delay', '1ms');
    expect(added.code).toBe(0);
    for (let i = 0; i < 20; i++) expect((await fetch(`${status.gatewayUrl}/productpage`)).status).toBe(200);
    expect(await cli.run('down')).toMatchObject({ code: 0 });
    expect((await cli.run('list')).stderr).toContain('no sandbox is running');
  });
});
