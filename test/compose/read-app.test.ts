// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose writes its variables in the same way
import { describe, expect, it } from 'vitest';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.js';
import { appIn, problemsIn, warningsIn, webFile, webWith } from './reading.js';

describe('a service', () => {
  it('needs only an image and a port', () => {
    expect(webWith('')).toEqual({
      name: 'web',
      app: 'web',
      version: 'v1',
      serviceAccount: 'web',
      locality: '',
      namespace: 'default',
      labels: { app: 'web', version: 'v1' },
      ports: [{ port: 80, protocol: 'http' }],
      image: 'i',
      command: [],
      entrypoint: null,
      environment: {},
      localCommand: null,
      user: null,
      workingDir: null,
      meshed: true,
      source: { file: 'c.yaml', line: 3, column: 5 },
    });
  });

  it('takes commands as a list or as a shell would split them', () => {
    expect(webWith('command: [node, "a b"]').command).toEqual(['node', 'a b']);
    expect(webWith(`command: sh -c 'echo "$$HOME"' a\\ b`).command).toEqual(['sh', '-c', 'echo "$HOME"', 'a b']);
    expect(webWith('entrypoint: /run').entrypoint).toEqual(['/run']);
    expect(webWith('command: null')).toMatchObject({ command: [], entrypoint: null });
  });

  it('takes environment and labels as a map or as a list', () => {
    const expected = { A: '1', B: 'x=y', HOST: 'from host', EMPTY: '' };
    const environment = { HOST: 'from host' };
    expect(webWith('environment: {A: 1, B: x=y, HOST: , GONE: , EMPTY: ""}', environment).environment).toEqual(
      expected,
    );
    expect(webWith('environment: [A=1, B=x=y, HOST, GONE, EMPTY=]', environment).environment).toEqual(expected);
    for (const labels of ['{app: shop, version: 1.0, x: true}', '[app=shop, version=1.0, x=true]'])
      expect(webWith(`labels: ${labels}`)).toMatchObject({ app: 'shop', version: '1.0', labels: { x: 'true' } });
  });

  it('keeps user and working_dir, and its x-mesh', () => {
    expect(
      webWith('user: 1000:1000\nworking_dir: /srv\nx-mesh: {serviceAccount: acc, local: [node, "${FILE}"]}', {
        FILE: 'a.js',
      }),
    ).toMatchObject({
      user: '1000:1000',
      workingDir: '/srv',
      serviceAccount: 'acc',
      localCommand: ['node', 'a.js'],
    });
  });

  it('stands in the mesh unless it says otherwise', () => {
    expect(webWith('x-mesh: {sidecar: false}').meshed).toBe(false);
    expect(webWith('x-mesh: {sidecar: true}').meshed).toBe(true);
    expect(problemsIn(webFile('x-mesh: {sidecar: no}'))).toEqual([
      'c.yaml:5:23 services.web.x-mesh.sidecar must be true or false',
    ]);
  });

  it('inherits what is merged into it', () => {
    const text = `
x-base: &base
  image: base
  expose: [80]
  environment: &env {A: base, B: base}
services:
  a:
    <<: *base
    environment:
      <<: *env
      B: own
  b: {<<: [{image: first}, *base]}
`;
    expect(appIn(text).workloads).toMatchObject([
      { image: 'base', environment: { A: 'base', B: 'own' }, ports: [{ port: 80 }] },
      { image: 'first', environment: { A: 'base' } },
    ]);
  });
});

describe('ports', () => {
  it.each([
    ['"8080"', [8080]],
    ['8080', [8080]],
    ['"80:8080"', [8080]],
    ['"127.0.0.1:80:8080"', [8080]],
    ['"127.0.0.1::8080"', [8080]],
    ['"[::1]:80:8080/tcp"', [8080]],
    ['"8000-8002:9000-9002"', [9000, 9001, 9002]],
    ['{target: 8080, published: "80", protocol: tcp}', [8080]],
    ['"${PORT:-8080}"', [8080]],
    ['"53:5300/udp"', []],
    ['{target: 5300, protocol: udp}', []],
  ])('%s', (port, expected) => {
    expect(webWith(`ports: [${port}]`).ports.map((found) => found.port)).toEqual([...expected, 80]);
  });

  it.each(['web', '"0"', '"65536"', '"a:b:80"', '"9-8"', '"80/icmp"', '{published: 80}', '{target: 99999}'])(
    '%s is refused',
    (port) => expect(problemsIn(webFile(`ports: [${port}]`))).toHaveLength(1),
  );

  it('are HTTP unless well-known or said otherwise', () => {
    const all = '25,587,3306,4444,5432,6379,9300,11211,27017,8080';
    const { ports } = webWith(`ports: [${all}]\nx-mesh: {ports: {6379: http, 7000: tcp}}`);
    const http = ports.filter(({ protocol }) => protocol === 'http').map(({ port }) => port);
    expect(http.sort((a, b) => a - b)).toEqual([80, 6379, 8080]);
    expect(ports).toContainEqual({ port: 7000, protocol: 'tcp' });
  });

  it('of one service speak one protocol', () => {
    const text = `services:
  a: {image: i, labels: {app: s}, expose: [80]}
  b: {image: i, labels: {app: s}, x-mesh: {ports: {80: tcp}}}`;
    expect(problemsIn(text)).toEqual([
      'c.yaml:3:6 services.b: port 80 is tcp here and http in other workloads of s (say the same in the x-mesh.ports of all of them)',
    ]);
  });
});

describe('the app', () => {
  it('is named by the file, its folder, or itself', () => {
    expect(appIn(webFile('')).name).toBe('c');
    expect(appIn(`name: \${NAME}\n${webFile('')}`, { NAME: 'shop' }).name).toBe('shop');
  });

  it('enters at the first service with an HTTP port', () => {
    const text = `services:
  db: {image: i, expose: [5432]}
  worker: {image: i}
  web: {image: i, expose: [9999, 8080], x-mesh: {ports: {9999: tcp}}}`;
    expect(appIn(text).gateway).toEqual({ service: 'web', port: 8080 });
    expect(appIn(`${text}\nx-mesh: {gateway: {service: web}}`).gateway).toEqual({ service: 'web', port: 8080 });
  });

  it('reads durations, retries and balancers', () => {
    const services = `
x-mesh:
  services:
    web:
      timeout: 1.5s
      balancer: ROUND_ROBIN
      retries: {attempts: 3, perTryTimeout: 250ms, retryOn: "gateway-error, 503"}`;
    expect(appIn(webFile('') + services).settings).toEqual({
      web: {
        timeoutMs: 1_500,
        traffic: { balancing: { ...CLUSTER_DEFAULTS.balancing, algorithm: { kind: 'round-robin' } } },
        precedence: 'first',
        routes: [],
        rateLimits: [],
        retries: { attempts: 3, perTryTimeoutMs: 250, retryOn: ['gateway-error', '503'] },
      },
    });
  });

  it('reads places, callers, precedence and what is propagated', () => {
    const app = appIn(`${webFile('x-mesh: {locality: eu/north}')}
x-mesh:
  propagate: {deadline: true}
  services: {web: {precedence: most-specific, routes: [{from: [web], to: [{service: web}]}]}}`);
    expect(app.workloads[0]?.locality).toBe('eu/north');
    expect(app.propagation).toEqual({ deadline: true, retries: false });
    expect(app.settings['web']).toMatchObject({ precedence: 'most-specific', routes: [{ from: ['web'] }] });
  });

  it('retries as Istio does by default when no reason is given; 0s is no timeout', () => {
    const { web } = appIn(`${webFile('')}x-mesh: {services: {web: {timeout: 0s, retries: {attempts: 1}}}}`).settings;
    expect(web?.timeoutMs).toBeNull();
    expect(web?.retries?.retryOn).toContain('connect-failure');
  });
});

describe('keys without effect', () => {
  it('are told once each, with what happens instead', () => {
    const text = `services:
  a: {image: i, expose: [80], restart: always, depends_on: [b]}
  b: {image: i, restart: always, networks: [back], build: ., cap_add: [NET_ADMIN]}
  c: {image: i, restart: always}
  d: {image: i, restart: always, networks: {default: {aliases: [x]}}, x-else: 1}
networks: {back: {}}
include: [other.yaml]
version: "3"
x-mehs: {}`;
    expect(warningsIn(text)).toEqual([
      '7:1 include has no effect: not followed: write all services in one file',
      '9:1 x-mehs in the file is not read; did you mean x-mesh?',
      '2:31 restart has no effect: what dies is started again anyway (a, b, c and 1 more)',
      '2:48 depends_on has no effect: every app starts when its sidecar is ready (a)',
      '3:34 networks has no effect: all workloads share one network, and callers use the label app (b)',
      '3:62 cap_add has no effect: not supported (b)',
    ]);
  });

  it('include a port that is no TCP', () => {
    expect(warningsIn(webFile('ports: ["53:53/udp"]'))).toEqual([
      '5:13 services.web: a mesh carries TCP only, so the udp port is left out',
    ]);
  });
});
