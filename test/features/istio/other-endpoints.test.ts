import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

/** Endpoints that resources name: who stands there, who has to stand there, and how it is spoken to. */

let bed: PolicyBed;
let outside: Server;
/** Where the sidecar of reviews listens: an address of a sidecar that no file of the app names. */
let sidecar = 0;

const app =
  (name: string): RequestListener =>
  ({ headers }, response) =>
    response.end(`${name} ${headers['x-forwarded-client-cert'] === undefined ? 'plaintext' : 'mtls'}`);

beforeAll(async () => {
  bed = await policyBed('istio', { reviews: app('reviews') });
  outside = createServer(app('outside'));
  await new Promise<void>((done) => outside.listen(0, '127.0.0.1', done));
  const views = await bed.mesh.client.call('workloads', {});
  sidecar = views.find(({ name }) => name === 'reviews')?.listenPorts['in:9080'] ?? 0;
});
afterEach(() => bed.reset());
afterAll(async () => {
  await bed.close();
  outside.close();
});

const outsidePort = (): number => (outside.address() as AddressInfo).port;

function entry(more: string, hosts = 'shop.example', ports = '{ number: 9080, name: http, protocol: HTTP }'): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop }
spec: { hosts: [ ${hosts} ], ports: [ ${ports} ], ${more} }`;
}

const given = (more = ''): string => `endpoints: [ { address: 127.0.0.1, ports: { http: ${sidecar} }${more} } ]`;
const rule = (tls: string, host = 'shop.example'): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: shop }
spec: { host: ${host}, trafficPolicy: { tls: { ${tls} } } }`;

async function ask(host = 'shop.example:9080'): Promise<string> {
  const { status, body } = await bed.call('reviews', '/', { headers: { host } });
  return status === 200 ? body : `${status}`;
}

describe('the location of a ServiceEntry', () => {
  const chosen = 'resolution: STATIC, workloadSelector: { labels: { app: reviews } }';

  it('MESH_INTERNAL is spoken to over mutual TLS where sidecars stand, MESH_EXTERNAL is not', async () => {
    await bed.apply(entry(`${chosen}, location: MESH_INTERNAL`));
    expect(await ask()).toBe('reviews mtls');
    await bed.apply(entry(`${chosen}, location: MESH_EXTERNAL`));
    expect(await ask()).toBe('reviews plaintext');
    await bed.apply(entry(chosen));
    expect(await ask()).toBe('reviews plaintext');
  });

  it('a DestinationRule goes before it', async () => {
    await bed.apply(entry(`${chosen}, location: MESH_EXTERNAL`), rule('mode: ISTIO_MUTUAL'));
    expect(await ask()).toBe('reviews mtls');
  });
});

describe('who an endpoint has to be', () => {
  const inside = 'resolution: STATIC, location: MESH_INTERNAL';
  const account = (name: string): string => given(`, serviceAccount: ${name}`);

  it('its serviceAccount, which it is asked to prove', async () => {
    await bed.apply(entry(`${inside}, ${account('reviews')}`));
    expect(await ask()).toBe('reviews mtls');
    await bed.apply(entry(`${inside}, ${account('ratings')}`));
    expect(await ask()).toBe('503');
  });

  it('anybody of the mesh where it has none and ISTIO_MUTUAL is spoken', async () => {
    await bed.apply(entry(`${inside}, ${given()}`), rule('mode: ISTIO_MUTUAL'));
    expect(await ask()).toBe('reviews mtls');
  });

  it('without a word of it plaintext is spoken, and with the label of a sidecar mutual TLS', async () => {
    await bed.apply(entry(`${inside}, ${given()}`));
    expect(await ask()).toBe('reviews plaintext');
    await bed.apply(entry(`${inside}, ${given(', labels: { security.istio.io/tlsMode: istio }')}`));
    expect(await ask()).toBe('reviews mtls');
  });

  it('the names of a DestinationRule take the place of all that is known', async () => {
    await bed.apply(
      rule('mode: ISTIO_MUTUAL, subjectAltNames: [ spiffe://cluster.local/ns/default/sa/nobody ]', 'reviews'),
    );
    expect(await ask('reviews:9080')).toBe('503');
    await bed.apply(
      rule('mode: ISTIO_MUTUAL, subjectAltNames: [ spiffe://cluster.local/ns/default/sa/reviews ]', 'reviews'),
    );
    expect(await ask('reviews:9080')).toBe('reviews mtls');
  });

  it('what has no effect with ISTIO_MUTUAL is told', async () => {
    expect(await bed.apply(rule('mode: ISTIO_MUTUAL, sni: a.example, insecureSkipVerify: true'))).toContain('MS0001');
  });
});

const service = (spec: string, name = 'shop'): string => `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: ${spec}`;

describe('WorkloadEntries that a Service chooses', () => {
  const workload = (ports: string): string => `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: vm }
spec: { address: 127.0.0.1, labels: { app: vm }${ports} }`;

  it.each<[string, () => string, () => string]>([
    ['a port by the name of the Service’s', () => 'name: http', () => `, ports: { http: ${outsidePort()} }`],
    [
      'a port by the name of its target',
      () => 'name: http, targetPort: web',
      () => `, ports: { web: ${outsidePort()} }`,
    ],
    ['the target itself', () => `name: http, targetPort: ${outsidePort()}`, () => ''],
  ])('are its endpoints: %s', async (_, port, ports) => {
    await bed.apply(service(`{ selector: { app: vm }, ports: [ { port: 9080, ${port()} } ] }`), workload(ports()));
    expect(await ask('shop:9080')).toBe('outside plaintext');
  });

  it('have no port of a name that they do not know', async () => {
    await bed.apply(
      service('{ selector: { app: vm }, ports: [ { port: 9080, name: http, targetPort: web } ] }'),
      workload(`, ports: { http: ${outsidePort()} }`),
    );
    expect(await ask('shop:9080')).toBe('503');
  });
});

describe('a Service of type ExternalName', () => {
  it('is another name of a service of the mesh', async () => {
    await bed.apply(service('{ type: ExternalName, externalName: reviews.default.svc.cluster.local }'));
    expect(await ask('shop.default:9080')).toBe('reviews mtls');
  });

  it('leads to a host outside, in plaintext', async () => {
    const port = `{ port: ${outsidePort()}, name: http }`;
    await bed.apply(service(`{ type: ExternalName, externalName: localhost, ports: [ ${port} ] }`, 'far'));
    const { body } = await bed.ask(await bed.mesh.outboundUrl('web', 'far'), '/', { headers: { host: 'far' } });
    expect(body).toBe('outside plaintext');
  });
});

describe('targets of a Service that are named', () => {
  const named = (target: string): string =>
    service(
      `{ selector: { app: reviews }, ports: [ { port: 80, name: http, targetPort: ${target} } ] }`,
      'reviews-all',
    );
  const pods = (port: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: reviews }
spec:
  selector: { matchLabels: { app: reviews } }
  template:
    metadata: { labels: { app: reviews } }
    spec: { containers: [ { name: reviews, ports: [ { containerPort: 9080, name: ${port} } ] } ] }`;

  const askNamed = async (): Promise<string> => {
    const url = await bed.mesh.outboundUrl('web', 'reviews-all');
    const { status, body } = await bed.ask(url, '/', { headers: { host: 'reviews-all' } });
    return status === 200 ? body : `${status}`;
  };

  it('are what the manifest of the pods calls so', async () => {
    await bed.apply(named('web'), pods('web'));
    expect(await askNamed()).toBe('reviews mtls');
  });

  it('are the only port of the workloads where there is no manifest', async () => {
    await bed.apply(named('web'));
    expect(await askNamed()).toBe('reviews mtls');
  });

  it('lead nowhere where the manifest knows no such name', async () => {
    await bed.apply(named('web'), pods('other'));
    expect(await askNamed()).toBe('503');
  });
});

describe('a host with a wildcard that is looked up when it is called', () => {
  it('is passed on to where the call was going', async () => {
    const port = `{ number: ${outsidePort()}, name: http, protocol: HTTP }`;
    await bed.apply(entry('resolution: DYNAMIC_DNS', '"*.0.0.1"', port));
    const url = await bed.mesh.outboundUrl('web', '*.0.0.1');
    const { body } = await bed.ask(url, '/', { headers: { host: `127.0.0.1:${outsidePort()}` } });
    expect(body).toBe('outside plaintext');
  });
});

describe('addresses of a ServiceEntry', () => {
  it('each is a name of it, and ranges are told', async () => {
    const endpoints = `endpoints: [ { address: 127.0.0.1, ports: { http: ${outsidePort()} } } ]`;
    const more = `resolution: STATIC, addresses: [ 192.0.2.1, 192.0.2.2/32, 198.51.100.0/24 ], ${endpoints}`;
    expect(await bed.apply(entry(more))).toEqual(['MS0001']);
    for (const host of ['192.0.2.1:9080', '192.0.2.2:9080']) expect(await ask(host)).toBe('outside plaintext');
  });
});
