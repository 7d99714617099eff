import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.js';
import type { SidecarConfig } from '../../src/model/sidecar-config.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

const VERSIONS = ['v1', 'v2', 'v3'] as const;

/** web calls `turns` (round robin) and `least` (the default), each in three versions. */
let mesh: TestMesh;
const servers = new Map<string, Server>();
/** Answers of `least-v1` are held back while this is not null. */
let held: (() => void)[] | null = null;

beforeAll(async () => {
  for (const service of ['turns', 'least']) {
    for (const version of VERSIONS) {
      const name = `${service}-${version}`;
      const server = createServer((_, response) => {
        if (held !== null && name === 'least-v1') held.push(() => response.end(version));
        else response.end(version);
      });
      servers.set(name, server);
    }
  }
  mesh = await startMesh(
    appOf([workload('web'), ...[...servers.keys()].map((name) => workload(name))], {
      turns: { traffic: { balancing: { ...CLUSTER_DEFAULTS.balancing, algorithm: { kind: 'round-robin' } } } },
    }),
    { web: (_, response) => response.end(), ...Object.fromEntries(servers) },
  );
});
afterAll(() => mesh.close());

const ask = async (service: string): Promise<string> => (await fetch(await mesh.outboundUrl('web', service))).text();

/** How many endpoints of all versions the caller's sidecar knows; 0 while it has not obeyed its newest snapshot. */
async function endpointsOf(service: string): Promise<number> {
  const { configs } = await mesh.client.call('snapshot', {});
  const { outbound } = configs['web'] as SidecarConfig;
  const web = (await mesh.client.call('workloads', {})).find(({ name }) => name === 'web');
  if (web === undefined || web.ackedVersion < web.wantedVersion) return 0;
  return (
    outbound.clusters.find((cluster) => cluster.service === service && cluster.subset === '')?.endpoints.length ?? 0
  );
}

describe('versions of a service', () => {
  it('take their turns exactly, where round robin is asked for', async () => {
    const answers: string[] = [];
    for (let n = 0; n < 9; n++) answers.push(await ask('turns'));
    for (const version of VERSIONS) expect(answers.filter((answer) => answer === version).length).toBe(3);
    expect(answers.slice(0, 3)).toEqual(answers.slice(3, 6));
  });

  it('get less while they are busy, where nothing is asked for', async () => {
    held = [];
    const url = await mesh.outboundUrl('web', 'least');
    const hanging: Promise<unknown>[] = [];
    // From then on v1 has one more in flight than the others, which are asked one by one.
    await until(async () => {
      hanging.push(fetch(url).then((response) => response.text()));
      return held?.length === 1;
    }, 'a request hangs at v1');
    let answered = 0;
    for (let n = 0; n < 180; n++) {
      const before = held.length;
      const done = ask('least').then(() => answered++);
      hanging.push(done);
      const earlier = answered;
      await until(() => answered > earlier || (held?.length ?? 0) > before, 'it is answered, or hangs too');
    }
    // It is taken where it is drawn twice: one time in nine, where it would have a third.
    expect(held.length - 1).toBeLessThan(40);
    for (const release of held) release();
    held = null;
    await Promise.all(hanging);
  });

  it('leave the choice when their app stops listening, at no request’s cost, and come back', async () => {
    const server = servers.get('turns-v2') as Server;
    const { port } = server.address() as AddressInfo;
    const view = async () => (await mesh.client.call('workloads', {})).find(({ name }) => name === 'turns-v2');
    server.close();
    server.closeAllConnections();
    await until(async () => (await view())?.appReady === false, 'its sidecar has seen it');
    await until(async () => (await endpointsOf('turns')) === 2, 'web obeys a snapshot without it');
    const without: string[] = [];
    for (let n = 0; n < 12; n++) without.push(await ask('turns'));
    expect(new Set(without)).toEqual(new Set(['v1', 'v3']));

    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await until(async () => (await ask('turns')) === 'v2', 'it is chosen again');
  });
});
