import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { portOf, raw } from '../../support/raw.js';
import { entry } from './entries.js';

describe('the protocol that entries declare for an app of requests', () => {
  let bed: PolicyBed;
  /** What the sidecars made of a request: they number those that they see. */
  const seen = async () => JSON.parse((await bed.call('reviews')).body) as { numbered: boolean };

  beforeAll(async () => {
    bed = await policyBed('consul', {
      reviews: ({ headers }, response) =>
        response.end(JSON.stringify({ numbered: headers['x-request-id'] !== undefined })),
    });
  });
  afterEach(() => bed.reset());
  afterAll(() => bed.close());

  it.each([
    ['http', true],
    ['grpc', true],
    ['tcp', false],
    ['mysql', false],
  ])('%s: its connections are looked into = %s', async (protocol, numbered) => {
    const defaults = entry('ProxyDefaults', 'global', `{ config: { protocol: ${protocol} } }`);
    await bed.apply(defaults);
    expect(await seen()).toEqual({ numbered });
  });

  it('is its own before that of all', async () => {
    await bed.apply(
      entry('ProxyDefaults', 'global', '{ config: { protocol: tcp } }'),
      entry('ServiceDefaults', 'reviews', '{ protocol: http }'),
    );
    expect(await seen()).toEqual({ numbered: true });
    await bed.apply(
      entry('ProxyDefaults', 'global', '{ config: { protocol: http } }'),
      entry('ServiceDefaults', 'reviews', '{ protocol: tcp }'),
    );
    expect(await seen()).toEqual({ numbered: false });
  });

  it('tcp has intentions all the same', async () => {
    await bed.apply(
      entry('ServiceDefaults', 'reviews', '{ protocol: tcp }'),
      entry('ServiceIntentions', 'reviews', "{ sources: [ { name: '*', action: deny } ] }"),
    );
    await expect(bed.call('reviews')).rejects.toThrow();
  });
});

describe('http of an app whose file says tcp', () => {
  let mesh: TestMesh;

  beforeAll(async () => {
    const ports = [{ port: 3306, protocol: 'tcp' as const }];
    mesh = await startMesh(
      appOf([workload('web'), workload('legacy', { ports })]),
      { legacy: (_, response) => response.end('hello') },
      { flavor: 'consul' },
    );
  });
  afterAll(() => mesh.close());

  it('gives its router a place', async () => {
    const files = [
      {
        name: 'c.yaml',
        text: [
          entry('ServiceDefaults', 'legacy', '{ protocol: http }'),
          entry(
            'ServiceRouter',
            'legacy',
            '{ routes: [ { match: { http: { pathExact: /gone } }, destination: { service: legacy, responseHeaders: { set: { x-way: router } } } } ] }',
          ),
        ].join('\n---\n'),
      },
    ];
    expect((await mesh.client.call('applyResources', { files })).applied).toBe(true);
    const port = portOf(await mesh.outboundUrl('web', 'legacy'));
    const asks = async (path: string) =>
      (await raw(port, `GET ${path} HTTP/1.1\r\nhost: legacy:3306\r\nconnection: close\r\n\r\n`)).received;
    expect(await asks('/gone')).toMatch(/^HTTP\/1\.1 200.*x-way: router.*hello/s);
    expect(await asks('/')).not.toContain('x-way');
  });
});
