import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cli } from '../support/cli.js';
import { until } from '../support/until.js';
import { HOSTILE } from '../yaml/hostile.js';

/** Every command once, by hand as it were, against one sandbox of local processes. */
const cli = new Cli();
let url = '';

beforeAll(async () => {
  const { code, stdout } = await cli.run('up', '-d', '--runtime', 'local', '--port', '0', '--load', '0', '--json');
  expect(code).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; name: string; state?: string; gatewayUrl?: string });
  const done = lines.filter(({ state }) => state === 'done').map(({ name }) => name);
  expect(done).toEqual(['image', 'network', 'control plane', 'sidecars', 'apps', 'first request']);
  const ready = lines[lines.length - 1];
  expect(ready?.type).toBe('ready');
  url = ready?.gatewayUrl ?? '';
});
afterAll(() => cli.close());

const page = async (path = '/productpage') => (await fetch(`${url}${path}`)).status;
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli.run(...args);
  return { code, stdout, stderr, all: stdout + stderr };
};

describe('looking', () => {
  it('list names it, with its address', async () => {
    expect((await run('list')).stdout).toContain(url);
    expect(await cli.json<{ name: string }[]>('list', '-o', 'json')).toMatchObject([{ name: 'bookinfo' }]);
  });

  it('logs show an app, its sidecar, the control plane, and who there is when the name is wrong', async () => {
    expect((await run('logs', 'details-v1')).stdout).toContain('details v1 listens on');
    expect((await run('logs', 'details-v1', '--sidecar')).stdout).toContain('"component":"proxy"');
    expect((await run('logs')).stdout).toContain('"component":"control-plane"');
    const wrong = await run('logs', 'detials-v1');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('details-v1');
  });

  it('tap shows a line per hop of what is asked for, and ends after --max', async () => {
    const tap = run('tap', '--to', 'ratings', '--max', '2');
    let over = false;
    void tap.finally(() => {
      over = true;
    });
    await until(async () => {
      await page();
      return over;
    }, 'two requests are shown');
    const { code, stdout } = await tap;
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').length).toBe(2);
    expect(stdout).toContain('/ratings/0');
  });

  it('explain tells of the last request, and what to do about an id that is not known', async () => {
    await page();
    const { code, stdout } = await run('explain');
    expect(code).toBe(0);
    expect(stdout).toContain('GET /productpage was answered 200');
    expect(stdout).toContain('mutual TLS');
    const unknown = await run('explain', 'nothing');
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('mesh-sandbox tap shows ids');
  });

  it('curl asks from inside a workload, and says which workloads there are', async () => {
    const { code, all } = await run(
      'curl',
      '--from',
      'reviews-v3',
      '-H',
      'end-user: jason',
      'http://ratings:9080/ratings/0',
    );
    expect(code).toBe(0);
    expect(all).toContain('"Reviewer1":5');
    expect(all).toContain('reviews-v3 asked ratings for GET /ratings/0, over mutual TLS');
    const wrong = await run('curl', '--from', 'review-v3', 'http://ratings:9080/');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('reviews-v3');
  });

  it('doctor checks this machine, as text and as JSON', async () => {
    const { stdout } = await run('doctor');
    for (const check of ['node', 'docker']) expect(stdout.toLowerCase()).toContain(check);
    const checks = await cli.json<{ check: string; state: string }[]>('doctor', '-o', 'json');
    expect(checks.length).toBeGreaterThan(2);
  });

  it('ui without a terminal says so', async () => {
    const { code, stderr } = await run('ui');
    expect(code).not.toBe(0);
    expect(stderr).toContain('mesh-sandbox tap');
  });
});

describe('changing', () => {
  it('a fault is added, listed, hit, removed by its name', async () => {
    const added = await run('fault', 'add', '--id', 'sick', '--to', 'details', '--abort', '503', '--path', '/details');
    expect(added.code).toBe(0);
    expect(added.all).toContain('mesh-sandbox fault remove sick');
    await page();
    await until(async () => {
      const [fault] = await cli.json<{ name: string; hits: number }[]>('fault', 'list', '-o', 'json');
      return fault?.name === 'sick' && fault.hits > 0;
    }, 'the fault was hit');
    expect((await run('fault', 'remove', 'sick')).code).toBe(0);
    expect((await run('fault', 'list')).all).toContain('no faults');
    expect((await run('fault', 'remove', 'sick')).code).toBe(1);
  });

  it.each([
    [['--to', 'rating', '--abort', '503'], 'ratings'],
    [['--to', 'ratings', '--from', 'nobody', '--abort', '503'], 'productpage'],
    [['--to', 'ratings', '--abort', '99'], '--abort'],
    [['--to', 'ratings', '--abort', '503', '--percent', '150'], '--percent'],
    [['--to', 'ratings', '--delay', 'soon'], '--delay'],
    [['--to', 'ratings', '--abort', '503', '--header', 'two words=x'], 'header'],
    [['--to', 'ratings'], '--abort'],
  ])('a fault with %j is refused with what there is', async (flags, told) => {
    const { code, stderr } = await run('fault', 'add', ...flags);
    expect([1, 2]).toContain(code);
    expect(stderr).toContain(told);
  });

  it('features are listed and switched, one at a time', async () => {
    expect((await run('features', 'list')).stdout).toMatch(/retries\s+on/);
    expect((await run('features', 'disable', 'retries')).code).toBe(0);
    expect((await run('features', 'list')).stdout).toMatch(/retries\s+off/);
    await run('features', 'enable', 'retries');
    const wrong = await run('features', 'disable', 'retrys');
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain('retries');
  });

  it('load is set and shown', async () => {
    expect((await run('load', '20', '--path', '/productpage')).code).toBe(0);
    await until(async () => {
      const { status } = await cli.json<{ status: { load: { rps: number; ok: number } } }>('status', '-o', 'json');
      return status.load.rps === 20 && status.load.ok > 5;
    }, 'traffic flows');
    expect((await run('load', '0')).code).toBe(0);
    expect((await run('load', 'much')).code).toBe(2);
  });
});

describe('beside it', () => {
  it('a name that another command is just claiming is told as such', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => cli.run('up', '-d', '--runtime', 'local', '--name', 'twin', '--port', '0', '--load', '0')),
    );
    const codes = [first?.code, second?.code];
    expect(codes).toContain(0);
    const said = `${first?.stderr}${second?.stderr}`;
    expect(said).toMatch(/another command is starting twin|there is a sandbox named twin already|twin is up already/);
    expect((await run('down', '--name', 'twin')).code).toBe(0);
  });
});

describe('policies', () => {
  const fixed = (status: number): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: fixed }
spec: { hosts: [ ratings ], http: [ { directResponse: { status: ${status} } } ] }
`;
  const answered = async (): Promise<string> =>
    (await run('curl', '--from', 'reviews-v2', 'http://ratings:9080/ratings/0')).all;

  it('apply tells when which sidecar obeys, and until when the last one did', async () => {
    const file = join(cli.home, 'fixed.yaml');
    writeFileSync(file, fixed(418));
    const { code, stderr } = await run('apply', file);
    expect(code).toBe(0);
    expect(stderr).toMatch(/reviews-v2 [\d.]+ ms/);
    expect(stderr).toMatch(/all \d+ sidecars concerned obey version \d+ after [\d.]+ ms \([a-z0-9-]+ last\)/);
    expect(await answered()).toContain('418');
    writeFileSync(file, fixed(419));
    const { sidecars } = await cli.json<{ sidecars: { workload: string; ms: number }[] }>('apply', file, '-o', 'json');
    expect(sidecars.map(({ workload }) => workload)).toContain('reviews-v2');
    expect(sidecars.every(({ ms }) => ms > 0)).toBe(true);
  });

  it.each([
    ['one bad document among good ones', `${fixed(420)}---\n${fixed(421).replace('status: 421', 'status: x')}`],
    ['aliases of aliases', HOSTILE['aliases that multiply']],
  ])('%s: nothing of the file comes into force, and what was before stays', async (_, text) => {
    expect(await answered()).toContain('419');
    const { code, stderr } = await cli.runWith(text ?? '', 'apply', '-');
    expect([code, stderr]).toEqual([3, expect.stringContaining('<stdin>:')]);
    expect(await answered()).toContain('419');
    expect((await run('get', 'virtualservice', 'fixed', '-o', 'yaml')).stdout).toContain('status: 419');
  });

  it('diff tells what is the same at several callees once, and for whom', async () => {
    const denied = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: none }
spec: {}
`;
    const { code, stdout } = await cli.runWith(denied, 'diff', '-');
    expect(code).toBe(0);
    expect(stdout.match(/^callers of .*$/gm)).toEqual(['callers of productpage-v1, details-v1, reviews-v1 and 3 more']);
    expect(stdout.match(/all others: deny/g)).toHaveLength(1);
  });

  it('get and delete take what hands are used to from kubectl', async () => {
    const other = fixed(200).replace('{ name: fixed }', '{ name: other, namespace: far }');
    expect((await cli.runWith(`${fixed(200)}---\n${other}`, 'apply', '-R', '-f', '-')).code).toBe(0);
    const names = async (...words: string[]): Promise<string[]> =>
      (await cli.json<{ name: string }[]>('get', ...words, '-o', 'json')).map(({ name }) => name).sort();
    expect(await names('vs,dr', '-A')).toEqual(['fixed', 'other']);
    expect(await names('virtualservices.networking.istio.io', '-n', 'far')).toEqual(['other']);
    expect(await names('vs/fixed')).toEqual(['fixed']);
    expect((await run('delete', 'vs/other', '-n', 'far')).code).toBe(0);
    expect(await names('vs')).toEqual(['fixed']);
  });

  it('delete takes away what files hold', async () => {
    expect((await cli.runWith(fixed(200), 'delete', '-f', '-')).code).toBe(0);
    expect((await run('get', 'virtualservice')).stdout).toBe('');
  });

  it.each([
    ['get virtualservics', 'there is no kind "virtualservics"', 'did you mean VirtualService?'],
    ['delete virtualservics fixed', 'there is no kind "virtualservics"', 'did you mean VirtualService?'],
    ['kinds virtualservics', 'no kind "virtualservics" is read', 'did you mean VirtualService?'],
    ['get vs fixd', 'there is no vs fixd', 'did you mean fixed?'],
    ['get dr reviews', 'there is no dr reviews', 'none is in force'],
  ])('%s: what is not there is told, with what is near', async (line, problem, hint) => {
    expect((await cli.runWith(fixed(200), 'apply', '-')).code).toBe(0);
    const { code, stdout, stderr } = await run(...line.split(' '));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`error: ${problem}`);
    expect(stderr).toContain(hint);
  });

  it('get shows a route of the Gateway API, what became of it, and why not all of it', async () => {
    const file = join(cli.home, 'route.yaml');
    const route = (backend: string): void =>
      writeFileSync(
        file,
        `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r }
spec:
  parentRefs: [ { group: "", kind: Service, name: reviews } ]
  rules: [ { backendRefs: [ { name: ${backend}, port: 9080 } ] } ]
`,
      );
    route('nosuch');
    const diff = await run('diff', file);
    expect([diff.code, diff.stdout]).toEqual([
      0,
      expect.stringMatching(/^HTTPRoute default\/r created\n\ncalls to reviews[^\n]*\n {2}[-+~] /),
    ]);
    route('reviews');
    expect((await run('apply', '--dry-run', file)).stdout).toContain('HTTPRoute default/r created');
    expect((await run('get', 'httproutes')).stdout).toBe('');
    expect((await run('apply', file)).stdout).toContain('HTTPRoute default/r created');
    expect((await run('get', 'httproutes')).stdout).toMatch(
      /HTTPRoute +default +r +gateway.networking.k8s.io\/v1 +Accepted /,
    );
    route('nosuch');
    expect((await run('apply', '-f', file)).code).toBe(0);
    const { stdout, stderr } = await run('get', 'httproute', 'r');
    expect(stdout).toContain('ResolvedRefs=False');
    expect(stderr).toContain(
      'ResolvedRefs=False (BackendNotFound): the backend nosuch.default.svc.cluster.local is not found',
    );
    expect((await run('get', 'httproute', 'r', '-o', 'yaml')).stdout).toMatch(
      /\nstatus:\n {2}parents:\n {4}- parentRef:/,
    );
    expect(await cli.json('get', 'httproute', 'r', '-o', 'json')).toMatchObject([
      { generation: 2, status: { parents: [{ conditions: [{ type: 'Accepted', observedGeneration: 2 }, {}] }] } },
    ]);
    expect((await run('delete', '-f', file)).code).toBe(0);
    expect((await run('get', 'httproutes')).stdout).toBe('');
  });
});
