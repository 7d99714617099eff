import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changes, forward, host, type OneSidecar, on, oneSidecar, rule, to } from '../../support/one-sidecar.js';

let one: OneSidecar;

beforeAll(async () => {
  one = await oneSidecar({
    v1: (_, response) => response.end('v1'),
    v2: (_, response) => {
      response.setHeader('x-app', 'v2');
      response.end('v2');
    },
  });
});
afterAll(() => one.close());
beforeEach(() => {
  one.hits.length = 0;
  one.records();
});

describe('routes', () => {
  it('are asked in their order, and the first that matches decides', async () => {
    one.apply([
      host([
        rule(
          'jason',
          on('/', {
            fields: [{ name: 'end-user', kind: 'exact', value: 'jason', invert: false, missingAsEmpty: false }],
          }),
          forward([to('v2')]),
        ),
        rule('rest', on('/reviews'), forward([to('v1')])),
        rule('never', on('/reviews/1'), forward([to('v2')])),
      ]),
    ]);
    expect((await one.ask('/reviews/1', { headers: { 'end-user': 'jason' } })).body).toBe('v2');
    expect((await one.ask('/reviews/1')).body).toBe('v1');
    expect(one.records().map(({ decisions }) => decisions[0]?.rule)).toEqual(['jason', 'rest']);
  });

  it('that do not match are a 404 with flag NR, and no other host takes over', async () => {
    one.apply([
      host([rule('only', on('/a'), forward([to('v1')]))]),
      host([rule('any', on('/'), forward([to('v2')]))], ['*']),
    ]);
    expect((await one.ask('/b')).status).toBe(404);
    expect(one.records()[0]).toMatchObject({ flags: ['NR'], details: 'route_not_found' });
    expect(one.hits).toEqual([]);
  });

  it('belong to the host that is named best: itself, the longest wildcard, any', async () => {
    const answer = (name: string, ...domains: string[]) =>
      host([rule(name, on('/'), { kind: 'direct', status: 200, body: name })], domains);
    one.apply([answer('any', '*'), answer('com', '*.com'), answer('shop', '*.shop.com'), answer('own', 'a.shop.com')]);
    for (const [name, expected] of [
      ['a.shop.com', 'own'],
      ['b.shop.com', 'shop'],
      ['shop.com', 'com'],
      ['A.Shop.Com:9080', 'own'],
      ['b.shop.com.', 'shop'],
      ['other', 'any'],
    ])
      expect((await one.ask('/', { host: name as string })).body, name).toBe(expected);
  });

  it('split by weight within what chance allows, and the same request the same way', async () => {
    one.apply([
      host([
        rule('split', on('/'), forward([to('v1', { weight: 90 }), to('v2', { weight: 10 }), to('v1', { weight: 0 })])),
      ]),
    ]);
    const ids = Array.from({ length: 400 }, (_, n) => `request-${n}`);
    const shares = async () => {
      const answers = [];
      for (const id of ids) answers.push((await one.ask('/', { headers: { 'x-request-id': id } })).body);
      return answers;
    };
    const first = await shares();
    expect(Math.abs(first.filter((body) => body === 'v2').length - 40)).toBeLessThan(20);
    expect(await shares()).toEqual(first);
  });

  it('to a cluster that does not exist are 503 NC, with the fields of the route all the same', async () => {
    const fields = changes({ set: [['x-rule', 'r']] });
    one.apply([
      host([
        rule('gone', on('/'), forward([to('nobody', { responseFields: changes({ set: [['x-dest', 'd']] }) })]), fields),
      ]),
    ]);
    const { status, headers } = await one.ask('/');
    expect(status).toBe(503);
    expect([headers['x-rule'], headers['x-dest']]).toEqual(['r', 'd']);
    expect(one.records()[0]).toMatchObject({ flags: ['NC'], details: 'cluster_not_found' });
  });

  it('that cannot be obeyed are refused by name, and the old ones go on', async () => {
    one.apply([host([rule('good', on('/'), forward([to('v1')]))])]);
    const bad = rule('bad', on('/', { path: { kind: 'regex', value: '(', ignoreCase: false } }), forward([to('v2')]));
    expect(() => one.apply([host([bad])])).toThrow(/the route bad: "\(" is no RE2 expression/);
    expect(() => one.apply([host([rule('none', on('/'), forward([]))])])).toThrow(/the route none: no destination/);
    expect((await one.ask('/')).body).toBe('v1');
  });
});

describe('what is forwarded', () => {
  it('has the path rewritten, and the old one in a field', async () => {
    one.apply([
      host([
        rule(
          'r',
          on('/old'),
          forward([to('v1')], { rewrite: { host: null, path: { kind: 'prefix', value: '/new' } } }),
        ),
      ]),
    ]);
    await one.ask('/old/x?y=1');
    expect(one.hits[0]).toMatchObject({
      target: '/new/x?y=1',
      headers: { host: 'reviews:9080', 'x-envoy-original-path': '/old/x?y=1' },
    });
    expect(one.records()[0]?.request.path).toBe('/old/x?y=1');
  });

  it('has the authority rewritten, and the old one in a field', async () => {
    one.apply([host([rule('r', on('/'), forward([to('v1')], { rewrite: { host: 'other.example', path: null } }))])]);
    await one.ask('/');
    expect(one.hits[0]?.headers).toMatchObject({ host: 'other.example', 'x-envoy-original-host': 'reviews:9080' });
  });

  it('has fields removed, then set, then added; the cluster’s before the route’s', async () => {
    const ofRoute = changes({ remove: ['x-gone'], set: [['x-a', 's']], add: [['x-a', 'a']] });
    const ofCluster = changes({
      set: [
        ['x-a', 'cluster'],
        ['x-b', 'cluster'],
      ],
    });
    one.apply([
      host([rule('r', on('/'), forward([to('v1', { requestFields: ofCluster })], { requestFields: ofRoute }))]),
    ]);
    await one.ask('/', { headers: { 'x-a': 'old', 'x-gone': '1' } });
    expect(one.hits[0]?.headers).toMatchObject({ 'x-a': 's, a', 'x-b': 'cluster' });
    expect(one.hits[0]?.headers).not.toHaveProperty('x-gone');
  });

  it('comes back with the fields of its answer changed', async () => {
    const fields = changes({ remove: ['x-app'], set: [['x-rule', 'yes']] });
    one.apply([host([rule('r', on('/'), forward([to('v2')]), fields)])]);
    const { headers, body } = await one.ask('/');
    expect(body).toBe('v2');
    expect(headers['x-rule']).toBe('yes');
    expect(headers).not.toHaveProperty('x-app');
  });
});

describe('what the proxy answers itself', () => {
  it('is a redirect, and no app is asked', async () => {
    const path = { kind: 'full', value: '/new' } as const;
    const action = { kind: 'redirect', status: 308, scheme: null, host: 'shop.example', port: null, path } as const;
    one.apply([host([rule('moved', on('/old'), action, changes({ set: [['cache-control', 'no-store']] }))])]);
    const { status, headers, body } = await one.ask('/old/x?a=1', { method: 'POST' });
    expect([status, headers.location, headers['cache-control'], body]).toEqual([
      308,
      'http://shop.example/new?a=1',
      'no-store',
      '',
    ]);
    expect(one.hits).toEqual([]);
    expect(one.records()[0]).toMatchObject({ flags: [], details: 'direct_response', failure: null });
  });

  it.each([
    [200, 'hello', 'hello', undefined],
    [201, '', '', 'http://reviews:9080/made?x=1'],
    [204, 'not sent', '', undefined],
    [503, 'sorry', 'sorry', undefined],
  ])('is a response with status %i', async (status, text, body, location) => {
    one.apply([host([rule('direct', on('/'), { kind: 'direct', status, body: text })])]);
    const answer = await one.ask('/made?x=1');
    expect([answer.status, answer.body, answer.headers.location]).toEqual([status, body, location]);
    expect(one.records()[0]).toMatchObject({ flags: [], details: 'direct_response' });
  });
});
