import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { findEngine, isOlder, type Machine, optionsOf } from '../../src/runtime/docker/endpoint.js';

const id = (context: string): string => createHash('sha256').update(context).digest('hex');
const meta = (host: string): string => JSON.stringify({ Endpoints: { docker: { Host: host } } });

/** A machine with these files and sockets, where these hosts answer (with an API version) or fail (with a code). */
function machine(given: {
  files?: Record<string, string>;
  sockets?: string[];
  answers?: Record<string, string>;
  fails?: Record<string, string>;
  platform?: NodeJS.Platform;
}): Machine & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    home: '/home/me',
    platform: given.platform ?? 'linux',
    read: (path) => (given.files?.[path] === undefined ? null : Buffer.from(given.files[path])),
    socketProblem: (path) => (given.sockets?.includes(path) ? null : 'there is no such socket'),
    async ping({ host }) {
      asked.push(host);
      const apiVersion = given.answers?.[host];
      const code = given.fails?.[host];
      if (apiVersion === undefined) throw Object.assign(new Error(`failed: ${code}`), { code });
      return { docker: null as never, version: '20.10.24', apiVersion };
    },
  };
}

const search = (on: Machine, environment: Record<string, string> = {}, dockerHost: string | null = null) =>
  findEngine({ dockerHost, environment }, on);

describe('finding the engine', () => {
  const everywhere = machine({
    files: {
      '/home/me/.docker/config.json': '{"currentContext":"work"}',
      [`/home/me/.docker/contexts/meta/${id('work')}/meta.json`]: meta('tcp://work:2376'),
      [`/home/me/.docker/contexts/meta/${id('lab')}/meta.json`]: meta('tcp://lab:2376'),
    },
    sockets: ['/var/run/docker.sock'],
    answers: {
      'tcp://flag:1': '1.41',
      'tcp://env:1': '1.41',
      'tcp://lab:2376': '1.41',
      'tcp://work:2376': '1.41',
      'unix:///var/run/docker.sock': '1.41',
    },
  });

  it.each([
    ['--docker-host first', { DOCKER_HOST: 'tcp://env:1' }, 'tcp://flag:1', 'tcp://flag:1', '--docker-host'],
    ['then DOCKER_HOST', { DOCKER_HOST: 'tcp://env:1', DOCKER_CONTEXT: 'lab' }, null, 'tcp://env:1', 'DOCKER_HOST'],
    ['then DOCKER_CONTEXT', { DOCKER_CONTEXT: 'lab' }, null, 'tcp://lab:2376', 'DOCKER_CONTEXT lab'],
    ['then the current context', {}, null, 'tcp://work:2376', 'the current Docker context work'],
    ['then known sockets', { DOCKER_CONTEXT: 'default' }, null, 'unix:///var/run/docker.sock', 'the default socket'],
  ])('looks at %s', async (_title, environment, flag, host, why) => {
    expect((await search(everywhere, environment as Record<string, string>, flag)).engine).toMatchObject({ host, why });
  });

  it('tries one socket after the other and keeps the reason of each', async () => {
    const colima = '/home/me/.colima/default/docker.sock';
    const on = machine({
      sockets: ['/var/run/docker.sock', '/home/me/.docker/run/docker.sock', colima],
      fails: { 'unix:///var/run/docker.sock': 'ECONNREFUSED', 'unix:///home/me/.docker/run/docker.sock': 'EACCES' },
      answers: { [`unix://${colima}`]: '1.43' },
    });
    const { engine, tried } = await search(on);
    expect(engine).toMatchObject({ host: `unix://${colima}`, why: 'Colima', apiVersion: '1.43' });
    expect(tried.map(({ problem }) => problem)).toEqual([
      'refused: the engine does not run',
      'no permission (is your user in the group docker?)',
      'there is no such socket',
    ]);
  });

  it('does not go past a place that the user named', async () => {
    const on = machine({ sockets: ['/var/run/docker.sock'], answers: { 'unix:///var/run/docker.sock': '1.41' } });
    expect((await search(on, { DOCKER_HOST: 'tcp://gone:1' })).engine).toBeNull();
    const { engine, tried } = await search(on, { DOCKER_CONTEXT: 'unknown' });
    expect(engine).toBeNull();
    expect(tried[0]?.problem).toContain('there is no such context');
  });

  it('refuses an API that is too old, counting by numbers', async () => {
    const on = machine({ answers: { 'tcp://old:1': '1.9' } });
    expect((await search(on, {}, 'tcp://old:1')).tried[0]?.problem).toContain('API 1.9 is too old');
    expect([isOlder('1.41', '1.41'), isOlder('1.100', '1.41'), isOlder('2.0', '1.41')]).toEqual([false, false, false]);
  });

  it('survives nonsense: broken files, broken addresses', async () => {
    const on = machine({ files: { '/home/me/.docker/config.json': '{', '/nowhere': '' } });
    expect((await search(on)).engine).toBeNull();
    expect((await search(on, {}, 'tcp://')).tried[0]?.problem).toBe('is not an address of an engine');
    expect((await search(on, {}, 'docker')).tried[0]?.problem).toBe('is not an address of an engine');
    expect(on.asked).toEqual([]);
  });

  it('knows where rootless engines and Windows keep theirs', async () => {
    const rootless = await search(machine({}), { XDG_RUNTIME_DIR: '/run/user/7' });
    expect(rootless.tried.map(({ where }) => where)).toEqual(
      expect.arrayContaining([
        'unix:///run/user/7/docker.sock (rootless Docker)',
        'unix:///run/user/7/podman/podman.sock (Podman)',
      ]),
    );
    const pipe = 'npipe:////./pipe/docker_engine';
    expect((await search(machine({ platform: 'win32', answers: { [pipe]: '1.43' } }))).engine?.host).toBe(pipe);
  });

  it('takes the keys of a context', () => {
    const tls = { ca: Buffer.from('ca') };
    expect(optionsOf({ host: 'tcp://lab:2376', tls })).toEqual({ protocol: 'https', host: 'lab', port: 2376, ...tls });
    expect(optionsOf({ host: 'tcp://lab', tls: null })).toMatchObject({ protocol: 'http', port: 2375 });
    expect(optionsOf({ host: 'unix:///x.sock', tls: null })).toEqual({ socketPath: '/x.sock' });
    expect(optionsOf({ host: 'ssh://me@lab', tls: null })).toMatchObject({ protocol: 'ssh', port: 22, username: 'me' });
  });
});
