import { type IncomingHttpHeaders, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENTS_PATH, METRICS_PATH, OPERATIONS } from '../../src/protocol/api.js';
import { appOf, workload } from '../support/apps.js';
import { startPlane, type TestPlane, TOKEN } from './plane.js';

let plane: TestPlane;

beforeAll(async () => {
  plane = await startPlane(appOf([workload('web')]));
});
afterAll(() => plane.close());

const STATUS = OPERATIONS.status.path;
const FEATURES = OPERATIONS.features.path;
const BEARER = { authorization: `Bearer ${TOKEN}` };
const JSON_BEARER = { ...BEARER, 'content-type': 'application/json' };

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One request as written, on a connection of its own; an endless answer is taken up to its first event. */
function ask(path: string, headers: Record<string, string>, method = 'GET', body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: plane.apiPort, path, method, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        const finish = () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        response.on('data', (chunk: string) => {
          text += chunk;
          if (!text.startsWith('event:') || !text.includes('\n\n')) return;
          sent.destroy();
          finish();
        });
        response.on('end', finish);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A refusal is JSON of one form, tells no secret, and changes nothing. */
async function refused(answer: Promise<Answer>): Promise<{ status: number; message: string }> {
  const { status, headers, text } = await answer;
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect(text).not.toContain(TOKEN);
  const { error } = JSON.parse(text) as { error: { message: string; hint: string } };
  expect(JSON.parse(text)).toEqual({ error: { message: expect.any(String), hint: expect.any(String) } });
  expect(plane.plane.features).toEqual({ mtls: 'permissive', retries: true });
  return { status, message: error.message };
}

describe('Host', () => {
  it.each<[string, (own: number) => string]>([
    ['a name that was rebound to us', (own) => `evil.test:${own}`],
    ['a name that starts like ours', (own) => `127.0.0.1.evil.test:${own}`],
    ['another port', (own) => `127.0.0.1:${own === 1 ? 2 : 1}`],
    ['no port', () => '127.0.0.1'],
    ['another loopback address', (own) => `127.0.0.2:${own}`],
    ['a user before it', (own) => `127.0.0.1:${own}@evil.test`],
  ])('%s is refused, right token or not', async (_, host) => {
    for (const more of [BEARER, {}]) {
      const answer = ask(STATUS, { ...more, host: host(plane.apiPort) });
      expect(await refused(answer)).toEqual({ status: 403, message: 'this Host is not allowed' });
    }
  });

  it('is one of the three ways to write loopback, with the port of the listener or the published one', async () => {
    for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
      for (const port of [plane.apiPort, plane.publishedPort])
        expect((await ask(STATUS, { ...BEARER, host: `${name}:${port}` })).status, `${name}:${port}`).toBe(200);
    }
  });
});

describe('Origin', () => {
  it.each<[string, (own: number) => string]>([
    ['another site', () => 'https://evil.test'],
    ['a sandboxed frame', () => 'null'],
    ['our own address', (own) => `http://127.0.0.1:${own}`],
  ])('%s is refused: no web page may speak to the API', async (_, origin) => {
    const answer = ask(FEATURES, { ...JSON_BEARER, origin: origin(plane.apiPort) }, 'PUT', '{"retries":false}');
    expect(await refused(answer)).toEqual({ status: 403, message: 'requests from web pages are not allowed' });
  });

  it('gets no leave from a preflight', async () => {
    const answer = await ask(
      FEATURES,
      { origin: 'https://evil.test', 'access-control-request-method': 'PUT' },
      'OPTIONS',
    );
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});

describe('the token', () => {
  it.each<[string, Record<string, string>]>([
    ['missing', {}],
    ['empty', { authorization: 'Bearer ' }],
    ['wrong', { authorization: `Bearer ${TOKEN.replace('t', 'x')}` }],
    ['cut short', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['longer', { authorization: `Bearer ${TOKEN}x` }],
    ['without its scheme', { authorization: TOKEN }],
    ['of another scheme', { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` }],
    ['in a cookie', { cookie: `token=${TOKEN}` }],
  ])('%s is refused', async (_, headers) => {
    const message = 'the token is missing or wrong';
    expect(await refused(ask(STATUS, headers))).toEqual({ status: 401, message });
  });

  it('in the address does not count', async () => {
    expect((await refused(ask(`${STATUS}?token=${TOKEN}&authorization=Bearer%20${TOKEN}`, {}))).status).toBe(401);
  });

  it('is needed for every operation, for figures and events, and to learn what there is', async () => {
    const rows = Object.values(OPERATIONS).map(({ method, path }) => [method, path] as const);
    for (const [method, path] of [...rows, ['GET', EVENTS_PATH], ['GET', METRICS_PATH], ['GET', '/api/v1/nothing']])
      expect((await refused(ask(path as string, {}, method))).status, `${method} ${path}`).toBe(401);
  });

  it('opens the event stream, which begins with the status', async () => {
    const { status, headers, text } = await ask(EVENTS_PATH, BEARER);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/event-stream');
    expect(text).toMatch(/^event: status\ndata: \{"type":"status"/);
  });
});

describe('what is asked', () => {
  it.each<[string, string]>([
    ['GET', '/api/v1/nothing'],
    ['GET', '/'],
    ['DELETE', STATUS],
    ['PATCH', FEATURES],
    ['GET', '/api/v1/../../etc/passwd'],
  ])('%s %s is no operation', async (method, path) => {
    expect(await refused(ask(path, BEARER, method))).toEqual({ status: 404, message: `there is no ${method} ${path}` });
  });

  it('cannot be a broken escape', async () => {
    expect((await refused(ask('/api/v1/traces/%zz', BEARER))).status).toBe(400);
  });

  it.each([
    ['text/plain', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['a form with a file', 'multipart/form-data; boundary=x'],
    ['JSON by the look of it', 'text/plain; application/json'],
  ])('does not write as %s', async (_, type) => {
    const answer = ask(FEATURES, { ...BEARER, 'content-type': type }, 'PUT', '{"retries":false}');
    expect(await refused(answer)).toEqual({ status: 415, message: 'the body must be application/json' });
  });

  it('does not write without a content type', async () => {
    expect((await refused(ask(FEATURES, BEARER, 'PUT', '{"retries":false}'))).status).toBe(415);
  });

  it.each<[string, string, RegExp]>([
    ['half of it', '{"retries":', /JSON/],
    ['a word', 'no', /JSON/],
    ['a bare value', '5', /JSON/],
    ['a field of another type', '{"retries":"no"}', /retries/],
    ['a word that is none of ours', '{"mtls":"off"}', /mtls/],
    ['a field that does not exist', '{"retires":false}', /retires/],
    ['a field for the prototype', '{"__proto__":{"retries":false}}', /__proto__/],
    ['a list', '[false]', /0/],
  ])('is refused with its name when the JSON is %s', async (_, body, message) => {
    const { status, message: said } = await refused(ask(FEATURES, JSON_BEARER, 'PUT', body));
    expect(status).toBe(400);
    expect(said).toMatch(message);
  });

  it.each<[string, Record<string, string>, () => string | Buffer]>([
    ['as it is', {}, () => `{"mtls":"${'a'.repeat(1_100_000)}"}`],
    ['without a length', { 'transfer-encoding': 'chunked' }, () => `{"mtls":"${'a'.repeat(1_100_000)}"}`],
    ['packed small', { 'content-encoding': 'gzip' }, () => gzipSync(`{"mtls":"${'a'.repeat(1_100_000)}"}`)],
  ])('is refused beyond 1 MB, %s', async (_, headers, body) => {
    expect((await refused(ask(FEATURES, { ...JSON_BEARER, ...headers }, 'PUT', body()))).status).toBe(413);
  });

  it('is served still, after all of this', async () => {
    const answer = await ask(FEATURES, { ...BEARER, 'content-type': 'application/json; charset=utf-8' }, 'PUT', '{}');
    expect(JSON.parse(answer.text)).toEqual({ mtls: 'permissive', retries: true });
  });
});
