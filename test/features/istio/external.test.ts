import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { until } from '../../support/until.js';

let bed: PolicyBed;
/** What the authorizer was asked, and what the app saw. */
let questions: IncomingMessage[] = [];
let seen: IncomingMessage[] = [];
let sick = false;
const REFUSAL = 'denied by ext_authz for not found header `x-ext-authz: allow` in the request';

beforeAll(async () => {
  bed = await policyBed('istio', {
    httpbin: (request, response) => {
      seen.push(request);
      response.end('httpbin');
    },
    // Istio's own sample, in short.
    authz: (request, response) => {
      questions.push(request);
      if (request.url?.startsWith('/silent')) return;
      const allowed = request.headers['x-ext-authz'] === 'allow';
      response.statusCode = sick ? 500 : allowed ? 200 : 403;
      response.setHeader('x-user', 'u1');
      response.setHeader('x-why', 'because');
      response.end(allowed ? '' : REFUSAL);
    },
  });
});
afterEach(async () => {
  questions = [];
  seen = [];
  sick = false;
  await bed.reset();
});
afterAll(() => bed.close());

const config = (more = '', service = 'authz.default.svc.cluster.local') => `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |-
    accessLogFile: /dev/stdout
    extensionProviders:
    - name: sample-ext-authz-http
      envoyExtAuthzHttp:
        service: ${service}
        port: "9080"
        includeRequestHeadersInCheck: [ "x-ext-authz" ]
${more}`;
const policy = (provider = 'sample-ext-authz-http') => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ext-authz }
spec:
  selector: { matchLabels: { app: httpbin } }
  action: CUSTOM
  provider: { name: ${provider} }
  rules: [ { to: [ { operation: { paths: [ /headers ] } } ] } ]
`;

const ask = (path: string, word?: string) =>
  bed.call('httpbin', path, { headers: { 'x-other': 'o', ...(word === undefined ? {} : { 'x-ext-authz': word }) } });

describe('B-103: an AuthorizationPolicy of action CUSTOM', () => {
  it('lets in whom the authorizer lets in, answers the others in its words, and asks about its rules only', async () => {
    // What of MeshConfig is not obeyed is told.
    expect(await bed.apply(config(), policy())).toEqual(['MS0001']);
    expect((await ask('/headers', 'allow')).status).toBe(200);
    const { status, body, headers } = await ask('/headers', 'deny');
    expect([status, body, headers['x-why']]).toEqual([403, REFUSAL, 'because']);
    expect((await ask('/ip')).status).toBe(200);
    expect(
      questions.map(({ url, method, headers: fields }) => [method, url, fields['x-ext-authz'], fields['x-other']]),
    ).toEqual([
      ['GET', '/headers', 'allow', undefined],
      ['GET', '/headers', 'deny', undefined],
    ]);
    expect(seen.map(({ url }) => url)).toEqual(['/headers', '/ip']);
  });

  it('is explained: who was asked, by which rule, and what it said', async () => {
    await bed.apply(config(), policy());
    await ask('/headers', 'deny');
    let told = '';
    await until(async () => {
      const [exchange] = await bed.mesh.client.call('exchanges', {
        to: 'httpbin',
        direction: 'inbound',
        flag: 'UAEX',
        limit: 1,
      });
      if (exchange === undefined) return false;
      expect([exchange.response.status, exchange.failure, exchange.details]).toEqual([
        403,
        'authorizer_denied',
        'ext_authz_denied',
      ]);
      told = JSON.stringify(await bed.mesh.client.call('explain', { id: exchange.requestId }));
      return told.includes('asks sample-ext-authz-http');
    }, 'the refusal is recorded');
    expect(told).toContain(
      'rule 1 of AuthorizationPolicy default/ext-authz asks sample-ext-authz-http, who answers 403',
    );
    expect(told).toContain('callee-policy');
  });

  it('goes before other policies, and does not replace them', async () => {
    const deny = policy()
      .replace('name: ext-authz', 'name: deny')
      .replace('action: CUSTOM\n  provider: { name: sample-ext-authz-http }', 'action: DENY');
    await bed.apply(config(), policy(), deny);
    const [refused, denied] = [await ask('/headers', 'deny'), await ask('/headers', 'allow')];
    expect([refused.body, denied.body]).toEqual([REFUSAL, 'RBAC: access denied']);
  });

  it('hands on what is asked for, and what the authorizer gives', async () => {
    await bed.apply(
      config(`        pathPrefix: /check
        includeAdditionalHeadersInCheck: { x-from: mesh }
        headersToUpstreamOnAllow: [ "x-us*", x-user ]
        headersToDownstreamOnDeny: [ x-user ]
`),
      policy(),
    );
    expect((await ask('/headers', 'allow')).status).toBe(200);
    expect([questions[0]?.url, questions[0]?.headers['x-from']]).toEqual(['/check/headers', 'mesh']);
    expect(seen[0]?.headers['x-user']).toBe('u1');
    const { headers } = await ask('/headers', 'deny');
    expect([headers['x-user'], headers['x-why']]).toEqual(['u1', undefined]);
  });

  it.each([
    ['fails', '', 403],
    ['fails, with a status of its own', '        statusOnError: "503"\n', 503],
    ['fails, and may be passed over', '        failOpen: true\n', 200],
  ])('when the authorizer %s', async (_, more, status) => {
    sick = true;
    await bed.apply(config(more), policy());
    expect((await ask('/headers', 'allow')).status).toBe(status);
  });

  it('when the authorizer does not answer in time', async () => {
    await bed.apply(config('        pathPrefix: /silent\n        timeout: 100ms\n'), policy());
    expect((await ask('/headers', 'allow')).status).toBe(403);
    expect(seen).toEqual([]);
  });

  it('lets nobody in where its provider is nowhere, or is no service', async () => {
    await bed.apply(config(), policy('nobody'));
    expect((await ask('/headers', 'allow')).status).toBe(403);
    expect((await ask('/ip')).status).toBe(200);
    await bed.apply(config('', 'nowhere.default.svc.cluster.local'), policy());
    expect((await ask('/headers', 'allow')).status).toBe(403);
  });

  it('by gRPC is told not to be asked, and lets nobody in', async () => {
    const grpc = config().replace(
      /envoyExtAuthzHttp:[\s\S]*$/,
      'envoyExtAuthzGrpc: { service: authz.default.svc.cluster.local, port: 9000 }\n',
    );
    expect(await bed.apply(grpc, policy())).toEqual(['MS0001', 'MS0001']);
    expect((await ask('/headers', 'allow')).status).toBe(403);
  });

  it('is told of a request that is only described, and of a provider that is nowhere', async () => {
    await bed.apply(config(), policy());
    const told = await bed.mesh.client.call('explainRequest', { from: 'web', to: 'httpbin', path: '/headers' });
    expect(JSON.stringify(told)).toContain('asks sample-ext-authz-http first, whose answer is not known here');
    const other = await bed.mesh.client.call('explainRequest', { from: 'web', to: 'httpbin', path: '/ip' });
    expect(JSON.stringify(other)).not.toContain('sample-ext-authz-http');
    const files = [{ name: 'p.yaml', text: policy('sample-ext-authz-htpp') }];
    const { findings } = await bed.mesh.client.call('analyzeResources', { files });
    expect(findings.filter(({ code }) => code === 'MS0158').map(({ hint }) => hint)).toEqual([
      'did you mean sample-ext-authz-http?',
    ]);
  });

  it('a mistake in the ConfigMap is told with its line', async () => {
    const text = config().replace('port: "9080"', 'prot: "9080"');
    const { findings } = await bed.mesh.client.call('applyResources', { files: [{ name: 'm.yaml', text }] });
    const errors = findings.filter(({ level }) => level === 'error');
    expect(errors[0]?.message).toContain('unknown key "prot"');
    expect(errors[0]?.source.line).toBe(text.split('\n').findIndex((line) => line.includes('prot:')) + 1);
  });
});
