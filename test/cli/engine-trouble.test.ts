import { afterEach, beforeEach, expect, it } from 'vitest';
import { testEngine } from '../runtime/docker-bed.js';
import { type Cable, openCable } from '../support/cable.js';
import { Cli } from '../support/cli.js';
import { describeDocker, ownedBy } from '../support/docker.js';

/** What a real engine does to a command that uses it: it goes away, it refuses, its disk is full. */
describeDocker('up, when the engine', () => {
  let cable: Cable;
  let cli: Cli;

  beforeEach(async () => {
    cli = new Cli();
    cable = await openCable((await testEngine()).host.replace('unix://', ''));
  });
  afterEach(async () => {
    await cable.plug();
    const left = leftovers();
    await cli.close();
    cable.close();
    expect(left).toBe('');
  });

  const up = (...args: string[]) =>
    cli.run(
      'up',
      '-d',
      '--runtime',
      'docker',
      '--docker-host',
      `tcp://127.0.0.1:${cable.port}`,
      '--port',
      '0',
      ...args,
    );
  const leftovers = () => ownedBy(cli.owner());

  it('is stopped midway: says so and what to do, and down removes the rest when it is back', async () => {
    // The third container that starts is the last that does.
    let started = 0;
    const count = (): void => {
      started++;
      if (started < 3) cable.onceAsked(/^POST [^ ]*\/containers\/[^ ]+\/start /, count);
      else void cable.unplug();
    };
    cable.onceAsked(/^POST [^ ]*\/containers\/[^ ]+\/start /, count);
    const { code, stderr } = await up();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /Docker stopped answering while (starting|making|creating|watching) .*; not everything could be removed/,
    );
    expect(stderr).toContain('start it again, then: mesh-sandbox down');
    expect(leftovers()).not.toBe('');

    await cable.plug();
    const down = await cli.run('down');
    expect(down).toMatchObject({ code: 0 });
    expect((await cli.run('list')).stdout + (await cli.run('list')).stderr).toContain('no sandbox is running');
  });

  it('cannot build the image: every way that was tried, and nothing is left', async () => {
    cable.answer(/^GET [^ ]*\/images\//, '404 Not Found', { message: 'No such image' });
    cable.answer(/^POST [^ ]*\/images\/create\?fromImage/, '500 Internal Server Error', {
      message: 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    });
    cable.answer(/^POST [^ ]*\/images\/create\?/, '500 Internal Server Error', {
      message: 'Error processing tar file(exit status 1): unexpected EOF',
    });
    const { code, stderr } = await up();
    expect(code).toBe(1);
    expect(stderr).toMatch(/✗ image/);
    expect(stderr).toContain('preparing the image');
    expect(stderr).toContain('unexpected EOF');
    expect(leftovers()).toBe('');
    expect((await cli.run('list')).stderr).toContain('no sandbox is running');
  });

  it('has a full disk: says so and what takes the space', async () => {
    cable.answer(/^GET [^ ]*\/images\//, '404 Not Found', { message: 'No such image' });
    cable.answer(/^POST [^ ]*\/images\/create\?/, '500 Internal Server Error', {
      message: 'Error processing tar file(exit status 1): write /usr/bin/node: no space left on device',
    });
    const { code, stderr } = await up();
    expect(code).toBe(1);
    expect(stderr).toContain('the disk is full (preparing the image)');
    expect(stderr).toContain('docker system df');
    expect(leftovers()).toBe('');
  });

  it('refuses a container in the middle: nothing of the others stays', async () => {
    cable.answer(/^POST [^ ]*\/containers\/[^ ]+\/start .*/s, '500 Internal Server Error', {
      message: 'OCI runtime create failed: container_linux.go:380: starting container process caused: no such file',
    });
    const { code, stderr } = await up();
    expect(code).toBe(1);
    expect(stderr).toContain('OCI runtime create failed');
    expect(leftovers()).toBe('');
  });
});
