import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorsPolicy } from '../../../src/model/route.js';
import { changes, forward, host, type OneSidecar, on, oneSidecar, rule, to } from '../../support/one-sidecar.js';

let one: OneSidecar;

beforeAll(async () => {
  one = await oneSidecar({
    v1: (_, response) => response.end('app'),
    own: (_, response) => {
      response.writeHead(200, { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'X-App' });
      response.end('app');
    },
  });
});
afterAll(() => one.close());

const POLICY: CorsPolicy = {
  allowOrigins: [{ kind: 'exact', value: 'http://cors.com' }],
  allowMethods: 'POST,GET',
  allowHeaders: 'X-Foo,X-Bar',
  exposeHeaders: '',
  maxAgeSeconds: 86_400,
  allowCredentials: false,
  answerUnmatched: false,
};
const NONE: CorsPolicy = { ...POLICY, allowOrigins: [], allowMethods: '', allowHeaders: '', maxAgeSeconds: null };

/** What came back: the body, and the fields of CORS. */
async function ask(policy: CorsPolicy, method: string, headers: Record<string, string>, backend = 'v1') {
  one.apply([
    host([rule('r', on('/'), forward([to(backend)], { cors: policy }), changes({ set: [['x-rule', 'r']] }))]),
  ]);
  const answer = await one.ask('/', { method, headers });
  const fields = Object.fromEntries(
    Object.entries(answer.headers)
      .filter(([name]) => name.startsWith('access-control-'))
      .map(([name, value]) => [name.slice('access-control-'.length), value]),
  );
  return { body: answer.body, status: answer.status, details: one.records()[0]?.details, fields };
}
const preflight = (origin: string, asked = 'GET') => ({ origin, 'access-control-request-method': asked });
const LISTS = { 'allow-methods': 'POST,GET', 'allow-headers': 'X-Foo,X-Bar', 'max-age': '86400' };

describe('a preflight', () => {
  it.each(['GET', 'POST', 'DELETE'])(
    'of an allowed origin is answered with the lists as they are, asked %s',
    async (asked) => {
      expect(await ask(POLICY, 'OPTIONS', preflight('http://cors.com', asked))).toEqual({
        body: '',
        status: 200,
        details: 'cors_response',
        fields: { 'allow-origin': 'http://cors.com', ...LISTS },
      });
    },
  );

  it.each(['http://evil.com', 'http://cors.com.evil', 'HTTP://CORS.COM', 'http://cors.com:80'])(
    'of %s goes on to the app',
    async (origin) => {
      expect(await ask(POLICY, 'OPTIONS', preflight(origin))).toMatchObject({ body: 'app', fields: {} });
    },
  );

  it('of another origin is answered without naming it, where the policy says so', async () => {
    const policy = { ...POLICY, answerUnmatched: true };
    expect(await ask(policy, 'OPTIONS', preflight('http://evil.com'))).toMatchObject({
      details: 'cors_response',
      fields: LISTS,
    });
    expect(await ask(policy, 'GET', { origin: 'http://evil.com' })).toMatchObject({ body: 'app', fields: {} });
  });

  it('is none without the method that is asked for, without an origin, or by another method', async () => {
    const named = { 'allow-origin': 'http://cors.com' };
    expect(await ask(POLICY, 'OPTIONS', { origin: 'http://cors.com' })).toMatchObject({ body: 'app', fields: named });
    expect(await ask(POLICY, 'OPTIONS', { 'access-control-request-method': 'GET' })).toMatchObject({
      body: 'app',
      fields: {},
    });
    expect(await ask(POLICY, 'GET', preflight('http://cors.com'))).toMatchObject({ body: 'app', fields: named });
  });
});

describe('an answer', () => {
  it('names an allowed origin, and says what it may see', async () => {
    const policy = { ...POLICY, exposeHeaders: 'X-One,X-Two', allowCredentials: true };
    expect((await ask(policy, 'GET', { origin: 'http://cors.com' })).fields).toEqual({
      'allow-origin': 'http://cors.com',
      'allow-credentials': 'true',
      'expose-headers': 'X-One,X-Two',
    });
    for (const headers of [{ origin: 'http://evil.com' }, {}])
      expect((await ask(policy, 'GET', headers)).fields).toEqual({});
  });

  it('of an app that names origins itself is corrected for an allowed origin only', async () => {
    const fieldsFor = async (origin: string) => (await ask(POLICY, 'GET', { origin }, 'own')).fields;
    expect(await fieldsFor('http://cors.com')).toEqual({
      'allow-origin': 'http://cors.com',
      'expose-headers': 'X-App',
    });
    expect(await fieldsFor('http://evil.com')).toEqual({ 'allow-origin': '*', 'expose-headers': 'X-App' });
  });
});

describe('origins', () => {
  const allows = async (policy: CorsPolicy, origin: string) =>
    (await ask(policy, 'GET', { origin })).fields['allow-origin'] === origin;

  it('may be any, or be like an expression over the whole of it, or none', async () => {
    const any = { ...NONE, allowOrigins: [{ kind: 'exact', value: '*' }] } as const;
    expect(await allows(any, 'http://any.example')).toBe(true);
    const like = { ...NONE, allowOrigins: [{ kind: 'regex', value: 'https?://[a-z]+\\.example' }] } as const;
    expect(await allows(like, 'https://abc.example')).toBe(true);
    for (const origin of ['https://a.b.example', 'http://a.example.com', 'http://A.example'])
      expect(await allows(like, origin), origin).toBe(false);
    expect(await allows(NONE, 'http://c')).toBe(false);
  });

  it('a star is what was asked for: a browser that sends credentials does not take one', async () => {
    const star = { ...POLICY, allowMethods: '*', allowHeaders: '*' };
    const asked = { origin: 'http://cors.com', 'access-control-request-method': 'DELETE' };
    const { fields } = await ask(star, 'OPTIONS', { ...asked, 'access-control-request-headers': 'x-a, x-b' });
    expect(fields).toMatchObject({ 'allow-methods': 'DELETE', 'allow-headers': 'x-a, x-b' });
    expect((await ask(star, 'OPTIONS', asked)).fields).toMatchObject({
      'allow-methods': 'DELETE',
      'allow-headers': '',
    });
  });
});
