import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Cli, finished } from '../support/cli.js';
import { freePort } from '../support/mesh.js';

const cli = new Cli();
afterAll(() => cli.close());

describe('what a user may get wrong', () => {
  it('a misspelt command: the nearest one, exit code 2', async () => {
    const { code, stderr } = await cli.run('fualt', 'list');
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean fault?');
  });

  it('a value out of range: the option is named, exit code 2', async () => {
    const { code, stderr } = await cli.run('up', '--port', '99999');
    expect(code).toBe(2);
    expect(stderr).toContain("option '--port <port>'");
  });

  it('an unknown sample', async () => {
    const { code, stderr } = await cli.run('up', 'bokinfo');
    expect(code).toBe(1);
    expect(stderr).toContain('did you mean bookinfo?');
  });

  it('a Compose file with mistakes: all of them, with line and column', async () => {
    const file = join(cli.home, 'bad.yaml');
    mkdirSync(cli.home, { recursive: true });
    writeFileSync(file, 'services:\n  web:\n    imge: a\n    enviroment: {}\nx-mesh:\n  gatway: {}\n');
    const { code, stderr } = await cli.run('up', file);
    expect(code).toBe(1);
    expect(stderr).toContain('bad.yaml:3:5 unknown key "imge" in services.web (did you mean image?)');
    expect(stderr).toContain('bad.yaml:4:5 unknown key "enviroment" in services.web (did you mean environment?)');
    expect(stderr).toContain('bad.yaml:6:3 unknown key "gatway" in x-mesh (did you mean gateway?)');
  });

  it('a port that is taken: who holds it, before anything starts', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    const { code, stderr } = await cli.run('up', '-d', '--runtime', 'local', '--port', String(port));
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} is used by process ${process.pid}`);
    expect(stderr).toMatch(/mesh-sandbox up --port \d+/);
    expect(stderr).not.toContain('control plane');
  });

  it('Docker demanded where none answers: what was tried, how to start it, what works now', async () => {
    const { code, stderr } = await cli.run(
      'up',
      '-d',
      '--runtime',
      'docker',
      '--docker-host',
      'unix:///nowhere/docker.sock',
    );
    expect(code).toBe(1);
    expect(stderr).toContain('no Docker Engine answers');
    expect(stderr).toContain('/nowhere/docker.sock');
    expect(stderr).toContain('mesh-sandbox up --runtime local');
  });

  it('nothing is running: every command says so and what to type', async () => {
    for (const command of [
      ['status'],
      ['tap'],
      ['explain'],
      ['fault', 'list'],
      ['curl', 'http://a'],
      ['logs'],
      ['load'],
      ['features'],
    ]) {
      const { code, stderr } = await cli.run(...command);
      expect(code, command.join(' ')).toBe(1);
      expect(stderr).toContain('no sandbox is running');
      expect(stderr).toContain('mesh-sandbox up');
    }
    expect((await cli.run('down')).code).toBe(0);
  });

  it('a home that cannot be written', async () => {
    const child = (await import('node:child_process')).spawn(
      process.execPath,
      [join(import.meta.dirname, '../../dist/cli/main.js'), 'up', '-d', '--runtime', 'local', '--port', '0'],
      {
        env: { ...process.env, MESH_SANDBOX_HOME: '/dev/null/home', NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const { code, stderr } = await finished(child);
    expect(code).toBe(1);
    expect(stderr).toContain('cannot write to /dev/null/home');
    expect(stderr).toContain('MESH_SANDBOX_HOME');
  });

  it('who came through npx is told to type npx', async () => {
    const typed = async (npm_command: string): Promise<string> => {
      const { stderr } = await new Cli(cli.home, { npm_command }).run('status');
      return /→ (.*)/.exec(stderr)?.[1] ?? '';
    };
    expect(await typed('exec')).toBe('npx mesh-sandbox up');
    expect(await typed('run-script')).toBe('mesh-sandbox up');
  });

  it('--help and --version answer at once', async () => {
    expect((await cli.run('--help')).stdout).toContain('Usage: mesh-sandbox');
    expect((await cli.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});
