import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

let bed: PolicyBed;

beforeAll(async () => {
  const app = (name: string) => (_: unknown, response: { end: (text: string) => void }) => response.end(name);
  bed = await policyBed('istio', { reviews: app('reviews') as never, ratings: app('ratings') as never });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const gateway = (name: string, selector: string, hosts: string) => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { selector: { ${selector} }, servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ ${hosts} ] } ] }
`;
const service = (
  gateways: string,
  host: string,
  to: string,
  namespace = 'default',
) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${to}, namespace: ${namespace} }
spec: { hosts: [ "${host}" ], gateways: [ ${gateways} ], http: [ { match: [ { uri: { prefix: /a } } ], route: [ { destination: { host: ${to}.default.svc.cluster.local, port: { number: 9080 } } } ] } ] }
`;

/** What the gateway answers. */
async function enters(host: string, path = '/a'): Promise<string> {
  const { hostname, port } = new URL(bed.mesh.gatewayUrl);
  const { status, body } = await bed.ask(`http://${hostname}:${port}`, path, { headers: { host } });
  return status === 200 ? body : String(status);
}

describe('a Gateway', () => {
  it('that selects another gateway is told, binds nothing and takes nothing away', async () => {
    const before = await enters('a.test', '/');
    const told = await bed.apply(
      gateway('egress', 'istio: egressgateway', 'a.test'),
      service('egress', 'a.test', 'reviews'),
    );
    expect(told).toContain('MS0001');
    expect(await enters('a.test', '/')).toBe(before);
    await bed.apply(gateway('ingress', 'istio: ingressgateway', 'b.test'), service('ingress', 'b.test', 'ratings'));
    expect([await enters('a.test'), await enters('b.test')]).toEqual(['404', 'ratings']);
  });

  it('that serves a host for a namespace binds routes of that namespace alone', async () => {
    await bed.apply(
      gateway('g', 'istio: ingressgateway', 'other/a.test, ./b.test, "*/c.test"'),
      service('g', 'a.test', 'reviews'),
    );
    expect(await enters('a.test')).toBe('404');
    await bed.apply(service('default/g', 'a.test', 'ratings', 'other'));
    expect(await enters('a.test')).toBe('ratings');
    await bed.apply(service('g', 'b.test', 'reviews'));
    expect(await enters('b.test')).toBe('reviews');
    await bed.apply(service('g', 'c.test', 'reviews'));
    expect(await enters('c.test')).toBe('reviews');
  });

  it('of any host is followed by who only asks what would happen', async () => {
    await bed.apply(gateway('g', 'istio: ingressgateway', '"*"'), service('g', '*', 'reviews'));
    const told = async (path: string) =>
      JSON.stringify(await bed.mesh.client.call('explainRequest', { from: 'gateway', to: 'shop.test', path }));
    expect([await enters('shop.test', '/a'), await enters('shop.test', '/b')]).toEqual(['reviews', '404']);
    expect(await told('/a')).toContain('reviews');
    expect(await told('/b')).toContain('404');
  });
});
