import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

let bed: PolicyBed;
const servers = new Map<string, Server>();

beforeAll(async () => {
  bed = await policyBed('istio', { reviews: (_, response) => response.end('reviews') });
  for (const name of ['a', 'b', 'c']) {
    const server = createServer((_, response) => response.end(name));
    servers.set(name, server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  }
});
afterEach(() => bed.reset());
afterAll(async () => {
  await bed.close();
  for (const server of servers.values()) server.close();
});

const portOf = (name: string): number => ((servers.get(name) as Server).address() as AddressInfo).port;

function entry(name: string, to: string, { host = 'shop.example', namespace = 'default', port = 9080 } = {}): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  hosts: [ ${host} ]
  ports: [ { number: ${port}, name: http, protocol: HTTP } ]
  resolution: STATIC
  endpoints: [ { address: 127.0.0.1, ports: { http: ${portOf(to)} } } ]`;
}

/** Who answers a number of calls to a host. */
async function answering(host: string): Promise<string[]> {
  const bodies = new Set<string>();
  for (let n = 0; n < 30; n++) bodies.add((await bed.call('reviews', '/', { headers: { host } })).body);
  return [...bodies].toSorted();
}

describe('a host that several resources declare', () => {
  it('in one namespace has the endpoints of all', async () => {
    await bed.apply(entry('first', 'a'), entry('second', 'b'));
    expect(await answering('shop.example:9080')).toEqual(['a', 'b']);
  });

  it('an endpoint serves the ports of its own declaration', async () => {
    await bed.apply(entry('first', 'a'), entry('second', 'b', { port: 9081 }));
    const { steps } = await bed.mesh.client.call('explainRequest', { from: 'web', to: 'shop.example:9081', path: '/' });
    expect(steps.map(({ text }) => text).join('\n')).toContain('shop.example');
    expect(await answering('shop.example:9080')).toEqual(['a']);
  });

  it('in another namespace it means that of the caller', async () => {
    await bed.apply(entry('first', 'a', { namespace: 'other' }), entry('second', 'b'));
    expect(await answering('shop.example:9080')).toEqual(['b']);
  });

  it('twice in one resource counts once', async () => {
    await bed.apply(entry('first', 'a').replace('[ shop.example ]', '[ shop.example, shop.example ]'));
    expect(await answering('shop.example:9080')).toEqual(['a']);
  });

  it('a ServiceEntry for a Service of the mesh adds endpoints to its pods', async () => {
    await bed.apply(entry('more', 'c', { host: 'reviews.default.svc.cluster.local' }));
    expect(await answering('reviews:9080')).toEqual(['c', 'reviews']);
  });
});
