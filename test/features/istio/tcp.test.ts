import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { helloOf } from '../../support/client-hello.js';
import { freePort, startMesh, type TestMesh } from '../../support/mesh.js';
import { countHeard, listenAt } from '../../support/streams.js';
import { until } from '../../support/until.js';

const TCP = [{ port: 3306, protocol: 'tcp' as const }];
const open = new Set<Socket>();
let mesh: TestMesh;
const outside: Server[] = [];

/** A database says its name, and stays. */
const database = (name: string) => createServer((socket) => socket.on('error', () => {}).write(name));

beforeAll(async () => {
  mesh = await startMesh(
    appOf([
      workload('web', { locality: 'r1/z1' }),
      workload('db-v1', { ports: TCP, locality: 'r1/z1' }),
      workload('db-v2', { ports: TCP, locality: 'r2/z1' }),
    ]),
    {
      web: (_, response) => response.end(),
      'db-v1': database('v1') as never,
      'db-v2': database('v2') as never,
    },
    { seed: 3 },
  );
});
afterEach(async () => {
  for (const socket of open) socket.destroy();
  open.clear();
  await mesh.client.call('deleteResources', { all: true });
});
afterAll(async () => {
  await mesh.close();
  for (const server of outside) server.close();
});

async function apply(text: string): Promise<void> {
  const result = await mesh.client.call('applyResources', { files: [{ name: 'tcp.yaml', text }] });
  expect([result.applied, result.findings.filter(({ level }) => level === 'error')]).toEqual([true, []]);
}

/** What a new connection hears first, which stays open; '' = it was closed. */
async function hear(service = 'db', says: string | Buffer = ''): Promise<string> {
  const { text, socket } = await listenAt(await mesh.outboundUrl('web', service), says);
  open.add(socket);
  return text;
}

const heard = (times: number, service = 'db') => countHeard(times, () => hear(service));

const rule = (trafficPolicy: string, host = 'db'): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: db }
spec: { host: ${host}, trafficPolicy: ${trafficPolicy} }
`;

async function listening(server: Server): Promise<number> {
  outside.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

function entry(endpoints: string, more = 'resolution: STATIC'): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: far }
spec: { hosts: [ far.example ], ${more}, ports: [ { number: 3306, name: tcp, protocol: TCP } ], endpoints: [ ${endpoints} ] }
`;
}

const at = (port: number, more = ''): string => `{ address: 127.0.0.1, ports: { tcp: ${port} }${more} }`;

describe('a DestinationRule for connections', () => {
  it('ROUND_ROBIN takes turns', async () => {
    await apply(rule('{ loadBalancer: { simple: ROUND_ROBIN } }'));
    expect(await heard(10)).toEqual({ v1: 5, v2: 5 });
  });

  it('LEAST_REQUEST goes by the connections that are open', async () => {
    await apply(rule('{ loadBalancer: { simple: LEAST_REQUEST } }'));
    const counts = await countHeard(160, async () => {
      const { text, socket } = await listenAt(await mesh.outboundUrl('web', 'db'));
      // Whoever has none of those that stay open is chosen unless the other one is drawn twice: three times of four.
      if (text === 'v1') open.add(socket);
      else socket.destroy();
      return text;
    });
    expect((counts['v1'] ?? 0) + (counts['v2'] ?? 0)).toBe(160);
    expect(counts['v1']).toBeLessThan(62);
  });

  it('consistentHash by useSourceIp always leads to the same', async () => {
    await apply(rule('{ loadBalancer: { consistentHash: { useSourceIp: true } } }'));
    expect(Object.values(await heard(12))).toEqual([12]);
  });

  it('localities: the nearest where a breaker watches, shares where they are said', async () => {
    await apply(rule('{ outlierDetection: { consecutive5xxErrors: 3 } }'));
    expect(await heard(10)).toEqual({ v1: 10 });
    const shares = '{ localityLbSetting: { distribute: [ { from: "r1/*", to: { "r1/*": 80, "r2/*": 20 } } ] } }';
    await apply(rule(`{ loadBalancer: ${shares} }`));
    const { v1 = 0, v2 = 0 } = await heard(100);
    expect([v1 + v2, Math.abs(v1 - 80) < 17]).toEqual([100, true]);
  });

  it('maxConnections: what is beyond is closed (UO), until one of them ends', async () => {
    await apply(rule('{ connectionPool: { tcp: { maxConnections: 2 } } }'));
    expect([await hear(), await hear()].every((name) => name !== '')).toBe(true);
    expect(await hear()).toBe('');
    const [one] = open;
    one?.destroy();
    await until(async () => (await hear()) !== '', 'there is room again');
    await until(async () => {
      const records = await mesh.client.call('exchanges', { direction: 'outbound', flag: 'UO' });
      return records.some(({ kind, destination }) => kind === 'tcp' && destination.service === 'db');
    }, 'the refusal is recorded');
  });

  it('idleTimeout: a connection without a byte is closed', async () => {
    await apply(rule('{ connectionPool: { tcp: { idleTimeout: 1s } } }'));
    expect(await hear()).not.toBe('');
    const [socket] = open;
    await until(() => socket?.destroyed === true, 'it is closed');
  });

  it('outlierDetection: who cannot be reached is asked no more', async () => {
    const [dead, alive] = [await freePort(), await listening(database('alive'))];
    const breaker = '{ outlierDetection: { consecutive5xxErrors: 1, baseEjectionTime: 60s, maxEjectionPercent: 100 } }';
    await apply(`${entry(`${at(dead)}, ${at(alive)}`)}---\n${rule(breaker, 'far.example')}`);
    await until(async () => (await hear('far.example')) === '', 'one is closed');
    expect(await heard(12, 'far.example')).toEqual({ alive: 12 });
  });

  it('weights of endpoints', async () => {
    const [light, heavy] = [await listening(database('light')), await listening(database('heavy'))];
    await apply(entry(`${at(light, ', weight: 1')}, ${at(heavy, ', weight: 19')}`));
    // Each is closed before the next: open ones would count against the heavier.
    const { light: few = 0, heavy: many = 0 } = await countHeard(60, async () => {
      const { text, socket } = await listenAt(await mesh.outboundUrl('web', 'far.example'));
      const gone = new Promise<void>((done) => socket.once('close', () => done()));
      socket.destroy();
      await gone;
      return text;
    });
    expect([few + many, few < 14]).toEqual([60, true]);
  });
});

describe('tls rules of a VirtualService', () => {
  const rules = (more = ''): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: db }
spec: { host: db, subsets: [ { name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } } ] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: db }
spec:
  hosts: [ db, "*.example" ]
  tls:
  - { match: [ { sniHosts: [ one.example ] } ], route: [ { destination: { host: db, subset: v1 } } ] }
  - { match: [ { sniHosts: [ "*.example" ] } ], route: [ { destination: { host: db, subset: v2 } } ] }
${more}`;

  /** Which database a TLS client reaches, by what it hears in place of a handshake. */
  const asking = async (servername: string): Promise<string> => hear('db', await helloOf(servername));

  it('go by the name that TLS asks for', async () => {
    await apply(rules());
    for (let n = 0; n < 4; n++) {
      expect(await asking('one.example')).toBe('v1');
      expect(await asking('two.example')).toBe('v2');
    }
  });

  it('say nothing of what is no TLS: tcp rules do', async () => {
    await apply(rules('  tcp:\n  - { route: [ { destination: { host: db, subset: v1 } } ] }\n'));
    for (let n = 0; n < 5; n++) expect(await hear('db', 'plain')).toBe('v1');
    expect(await asking('two.example')).toBe('v2');
    expect(await asking('else.test')).toBe('v1');
  });
});

describe('a ServiceEntry of resolution NONE', () => {
  /** Each by a name of its own: a loopback port stands for a name and a port. */
  const passing = (port: number, protocol: string, host: string): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: far }
spec:
  hosts: [ ${host} ]
  addresses: [ 127.0.0.1 ]
  resolution: NONE
  ports: [ { number: ${port}, name: p, protocol: ${protocol} } ]
`;

  it('passes bytes on to where they go', async () => {
    const port = await listening(database('far'));
    await apply(passing(port, 'TCP', 'bytes.example'));
    expect(await hear('bytes.example')).toBe('far');
  });

  it('keeps what a DestinationRule and a VirtualService say: TLS is never left out, and tries are made', async () => {
    let first = '';
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .once('data', (data) => {
          first = data.subarray(0, 1).toString('hex');
          socket.destroy();
        }),
    );
    const port = await listening(server);
    await apply(
      `${passing(port, 'HTTP', 'tls.example')}---\n${rule('{ tls: { mode: SIMPLE, sni: tls.example } }', 'tls.example')}`,
    );
    const status = async (host: string): Promise<number> => (await fetch(await mesh.outboundUrl('web', host))).status;
    expect(await status('tls.example')).toBe(503);
    expect(first).toBe('16');
    let asked = 0;
    const sick = createHttp((_, response) => {
      asked++;
      response.writeHead(asked === 3 ? 200 : 503).end();
    });
    await mesh.client.call('deleteResources', { all: true });
    const again = await listening(sick);
    await apply(`${passing(again, 'HTTP', 'tries.example')}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: far }
spec:
  hosts: [ tries.example ]
  http: [ { retries: { attempts: 3, retryOn: 5xx }, route: [ { destination: { host: tries.example } } ] } ]
`);
    expect(await status('tries.example')).toBe(200);
    expect(asked).toBe(3);
  });
});
