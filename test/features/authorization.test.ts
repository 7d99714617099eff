import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/model/explanation.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { portOf, raw } from '../support/raw.js';
import { issuerOf } from '../support/tokens.js';
import { until } from '../support/until.js';

let mesh: TestMesh;
/** What the app of ratings was asked for, and with which fields. */
const asked: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];

beforeAll(async () => {
  const database = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('hello');
  });
  mesh = await startMesh(
    appOf([
      workload('web'),
      workload('reviews'),
      workload('ratings'),
      workload('db', { ports: [{ port: 3306, protocol: 'tcp' }] }),
    ]),
    {
      web: (_, response) => response.end('web'),
      reviews: (_, response) => response.end('reviews'),
      ratings: (request, response) => {
        asked.push({ url: request.url ?? '', headers: request.headers });
        response.end('stars');
      },
      db: database as never,
    },
  );
});
afterEach(async () => {
  asked.length = 0;
  await mesh.client.call('deleteResources', { all: true });
});
afterAll(() => mesh.close());

/** Applies policies; each is a kind, a name and the lines of its spec. */
async function apply(...documents: readonly string[]): Promise<void> {
  const files = [{ name: 'policies.yaml', text: documents.join('\n---\n') }];
  const { applied, findings } = await mesh.client.call('applyResources', { files });
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  expect(applied).toBe(true);
}

function policy(name: string, spec: string, more: { kind?: string; namespace?: string; annotations?: string } = {}) {
  const { kind = 'AuthorizationPolicy', namespace = 'default', annotations = '{}' } = more;
  return `apiVersion: security.istio.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace}, annotations: ${annotations} }
spec: ${spec}`;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  readonly id: string;
}

let count = 0;

/** A call of one workload's app to another service, through both sidecars. */
async function call(
  from: string,
  to: string,
  path = '/',
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const id = `authorization-${++count}`;
  const url = await mesh.outboundUrl(from, to);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${url}${path}`,
      { method, headers: { ...headers, 'x-request-id': id } },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers, id }));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

const statusOf = async (...args: Parameters<typeof call>): Promise<number> => (await call(...args)).status;

async function told(id: string): Promise<Explanation> {
  let explanation: Explanation | null = null;
  await until(async () => {
    explanation = await mesh.client.call('explain', { id }).catch(() => null);
    return explanation?.steps.some(({ workload: who }) => who === 'ratings') ?? false;
  }, 'both sides have told of the request');
  return explanation as unknown as Explanation;
}

describe('who may call', () => {
  it('B-095: an empty spec lets nobody in, and policies by principal repair one call after another', async () => {
    await apply(policy('allow-nothing', '{}'));
    for (const to of ['reviews', 'ratings']) {
      const refused = await call('web', to);
      expect([refused.status, refused.body]).toEqual([403, 'RBAC: access denied']);
    }
    const viewer = (app: string, account: string): string =>
      policy(
        `${app}-viewer`,
        `{ selector: { matchLabels: { app: ${app} } }, action: ALLOW, rules: [ { from: [ { source: { principals: [ cluster.local/ns/default/sa/${account} ] } } ], to: [ { operation: { methods: [ GET ] } } ] } ] }`,
      );
    await apply(viewer('reviews', 'web'));
    expect([await statusOf('web', 'reviews'), await statusOf('web', 'ratings')]).toEqual([200, 403]);
    await apply(viewer('ratings', 'reviews'));
    expect([await statusOf('reviews', 'ratings'), await statusOf('web', 'ratings')]).toEqual([200, 403]);
    expect(await statusOf('reviews', 'ratings', '/', { method: 'POST' })).toBe(403);
  });

  it('B-096: DENY goes before ALLOW, and what stands behind ? changes nothing', async () => {
    await apply(
      policy('deny', '{ action: DENY, rules: [ { to: [ { operation: { paths: [ /allow/admin ] } } ] } ] }'),
      policy('allow', '{ action: ALLOW, rules: [ { to: [ { operation: { paths: [ "/allow*" ] } } ] } ] }'),
    );
    const paths = ['/allow/admin', '/allow/admin?param=value', '/allow', '/allow?param=value', '/other'];
    const statuses: number[] = [];
    for (const path of paths) statuses.push(await statusOf('web', 'ratings', path));
    expect(statuses).toEqual([403, 403, 200, 200, 403]);
  });

  it('B-096: no other spelling of a path gets past its DENY', async () => {
    await apply(policy('deny', '{ action: DENY, rules: [ { to: [ { operation: { paths: [ /admin ] } } ] } ] }'));
    const port = portOf(await mesh.outboundUrl('web', 'ratings'));
    const spellings = [
      '//admin',
      '/./admin',
      '/x/../admin',
      '/%61dmin',
      '/%2fadmin',
      '/admin;x=1',
      '/;y/admin',
      '/admin%23x',
      '/x/..;/admin',
    ];
    for (const path of spellings) {
      const { received } = await raw(port, `GET ${path} HTTP/1.1\r\nHost: ratings:9080\r\nConnection: close\r\n\r\n`);
      expect(received, path).toMatch(/^HTTP\/1\.1 (403|400) /);
    }
    expect(asked).toEqual([]);
  });

  it('B-099: what must not be (notNamespaces, notMethods, notPorts, notHosts) is met by everybody else', async () => {
    const denied = async (source: string): Promise<number> => {
      await apply(policy('deny', `{ action: DENY, rules: [ ${source} ] }`));
      return statusOf('web', 'ratings');
    };
    expect(await denied('{ from: [ { source: { notNamespaces: [ default ] } } ] }')).toBe(200);
    expect(await denied('{ from: [ { source: { notNamespaces: [ other ] } } ] }')).toBe(403);
    expect(await denied('{ to: [ { operation: { notMethods: [ GET ] } } ] }')).toBe(200);
    expect(await denied('{ to: [ { operation: { notMethods: [ POST ] } } ] }')).toBe(403);
    expect(await denied('{ to: [ { operation: { notPorts: [ "9080" ] } } ] }')).toBe(200);
    expect(await denied('{ to: [ { operation: { notPorts: [ "1" ] } } ] }')).toBe(403);
    expect(await denied('{ to: [ { operation: { notHosts: [ "ratings*" ] } } ] }')).toBe(200);
    expect(await denied('{ to: [ { operation: { notHosts: [ "web*" ] } } ] }')).toBe(403);
    expect(await denied('{ from: [ { source: { trustDomains: [ cluster.local ] } } ] }')).toBe(403);
    expect(await denied('{ from: [ { source: { trustDomains: [ elsewhere ] } } ] }')).toBe(200);
  });

  it('is asked anew for each request of a connection that is open', async () => {
    const socket = connect(portOf(await mesh.outboundUrl('web', 'ratings')), '127.0.0.1');
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    const GET = 'GET / HTTP/1.1\r\nHost: ratings:9080\r\n\r\n';
    socket.write(GET);
    await until(() => received.includes('stars'), 'the first answer');
    await apply(policy('allow-nothing', '{}'));
    socket.write(GET);
    await until(() => received.includes('RBAC: access denied'), 'the second is refused');
    socket.destroy();
  });

  it('tells which rule of which line decided, and blames the policy of the callee', async () => {
    await apply(policy('deny', '\n  action: DENY\n  rules:\n  - to: [ { operation: { paths: [ /admin ] } } ]'));
    const { id } = await call('web', 'ratings', '/admin');
    const { steps, blame, verdict } = await told(id);
    expect(steps.map(({ text }) => text)).toContain(
      'rule 1 of AuthorizationPolicy default/deny keeps it out (policies.yaml:7)',
    );
    expect([blame, verdict]).toEqual([
      'callee-policy',
      "Policy of the callee's sidecar (ratings): the authorization policies of ratings do not let this caller do this.",
    ]);
    const [record] = await mesh.client.call('exchanges', { direction: 'inbound', limit: 1 });
    expect(record).toMatchObject({
      details: 'rbac_access_denied_matched_policy[ns[default]-policy[deny]-rule[0]]',
      flags: [],
    });
  });

  it('tells of a request that none of several rules let in why each was not met', async () => {
    await apply(
      policy(
        'allow',
        '{ rules: [ { from: [ { source: { namespaces: [ other ] } } ] }, { to: [ { operation: { methods: [ POST ] } } ] } ] }',
      ),
    );
    const { id } = await call('web', 'ratings');
    const texts = (await told(id)).steps.map(({ text }) => text).join('\n');
    expect(texts).toMatch(
      /rule 1 of AuthorizationPolicy default\/allow .* wants namespaces: other, and it is .*sa\/web/,
    );
    expect(texts).toMatch(/rule 2 of AuthorizationPolicy default\/allow .* wants methods: POST, and it is GET/);
  });

  it('is told of a request that is only described, as it then happens', async () => {
    await apply(policy('allow', '{ rules: [ { to: [ { operation: { paths: [ "/stars*" ] } } ] } ] }'));
    const described = async (path: string): Promise<Explanation> =>
      mesh.client.call('explainRequest', { from: 'web', to: 'ratings', path });
    const [kept, letIn] = [await described('/other'), await described('/stars/1')];
    expect([kept.blame, letIn.blame]).toEqual(['callee-policy', null]);
    expect(letIn.steps.map(({ text }) => text).join('\n')).toContain(
      'ratings: rule 1 of AuthorizationPolicy default/allow lets it in',
    );
    expect([await statusOf('web', 'ratings', '/other'), await statusOf('web', 'ratings', '/stars/1')]).toEqual([
      403, 200,
    ]);
  });
});

describe('the gateway', () => {
  it.each(['istio: ingressgateway', 'app: istio-ingressgateway'])(
    'obeys policies of the root namespace that choose it by %s, and no others of a namespace',
    async (label) => {
      const status = async (): Promise<number> => (await fetch(`${mesh.gatewayUrl}/`)).status;
      const ingress = (range: string): string =>
        policy(
          'ingress',
          `{ selector: { matchLabels: { ${label} } }, action: DENY, rules: [ { from: [ { source: { ipBlocks: [ ${range} ] } } ] } ] }`,
          { namespace: 'istio-system' },
        );
      await apply(ingress('127.0.0.0/8'));
      expect(await status()).toBe(403);
      await apply(ingress('10.0.0.0/8'));
      expect(await status()).toBe(200);
    },
  );
});

describe('TCP', () => {
  const reaches = async (): Promise<boolean> =>
    (await raw(portOf(await mesh.outboundUrl('web', 'db')), '')).received === 'hello';

  it('B-101: an ALLOW by port lets in; with methods it is met by no TCP connection, and a DENY with methods by each', async () => {
    const ports = (...numbers: number[]) => `operation: { ports: [ ${numbers.map((n) => `"${n}"`).join(', ')} ]`;
    await apply(policy('tcp', `{ rules: [ { to: [ { ${ports(3306)} } } ] } ] }`));
    expect(await reaches()).toBe(true);
    await apply(policy('tcp', `{ rules: [ { to: [ { ${ports(1)} } } ] } ] }`));
    expect(await reaches()).toBe(false);
    await apply(policy('tcp', `{ rules: [ { to: [ { ${ports(3306)}, methods: [ GET ] } } ] } ] }`));
    expect(await reaches()).toBe(false);
    await apply(policy('tcp', `{ action: DENY, rules: [ { to: [ { ${ports(3306)}, methods: [ GET ] } } ] } ] }`));
    expect(await reaches()).toBe(false);
    await apply(policy('tcp', `{ action: DENY, rules: [ { to: [ { ${ports(1)}, methods: [ GET ] } } ] } ] }`));
    expect(await reaches()).toBe(true);
  });
});

describe('a dry run', () => {
  it('B-104: refuses nobody, and tells what it would have done', async () => {
    await apply(
      policy('deny-stars', '{ action: DENY, rules: [ { to: [ { operation: { paths: [ /stars ] } } ] } ] }', {
        annotations: '{ istio.io/dry-run: "true" }',
      }),
    );
    const { status, id } = await call('web', 'ratings', '/stars');
    expect(status).toBe(200);
    expect((await told(id)).steps.map(({ text }) => text).join('\n')).toContain(
      'rule 1 of AuthorizationPolicy default/deny-stars would keep it out (dry run)',
    );
  });
});

describe('tokens', () => {
  const me = issuerOf('me');
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (claims: object, seconds?: number): string => me.token({ sub: 'u', ...claims }, seconds);
  const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
  const authentication = (rule = ''): string =>
    policy('jwt', `{ jwtRules: [ { issuer: me, jwks: '${me.jwks}'${rule} } ] }`, { kind: 'RequestAuthentication' });
  const required = policy('required', '{ rules: [ { from: [ { source: { requestPrincipals: [ "*" ] } } ] } ] }');

  it('B-102: alone, a RequestAuthentication refuses bad tokens only', async () => {
    await apply(authentication());
    expect(await statusOf('web', 'ratings', '/', bearer(token({})))).toBe(200);
    expect(await statusOf('web', 'ratings')).toBe(200);
    const expired = await call('web', 'ratings', '/', bearer(token({}, -3600)));
    expect([expired.status, expired.body, expired.headers['www-authenticate']]).toEqual([
      401,
      'Jwt is expired',
      'Bearer realm="https://ratings:9080/", error="invalid_token"',
    ]);
    const preflight = { origin: 'https://x.test', 'access-control-request-method': 'GET' };
    const { headers } = bearer(token({}, -3600));
    expect(await statusOf('web', 'ratings', '/', { method: 'OPTIONS', headers: { ...headers, ...preflight } })).toBe(
      200,
    );
  });

  it('B-102: with requestPrincipals no token is 403, a bad one 401, another audience 403', async () => {
    await apply(authentication(', audiences: [ shop ]'), required);
    expect(await statusOf('web', 'ratings')).toBe(403);
    expect(await statusOf('web', 'ratings', '/', bearer(token({}, -3600)))).toBe(401);
    expect(await statusOf('web', 'ratings', '/', bearer(token({ aud: 'bank' })))).toBe(403);
    expect(await statusOf('web', 'ratings', '/', bearer(token({ aud: ['bank', 'shop'] })))).toBe(200);
  });

  it('B-102: places, and what the app sees of the token', async () => {
    await apply(authentication(', fromHeaders: [ { name: x-jwt-token, prefix: "Value " } ]'), required);
    expect(await statusOf('web', 'ratings', '/', bearer(token({})))).toBe(403);
    expect(await statusOf('web', 'ratings', '/', { headers: { 'x-jwt-token': `Value ${token({})}` } })).toBe(200);
    expect(asked.at(-1)?.headers['x-jwt-token']).toBeUndefined();
    await apply(
      authentication(', forwardOriginalToken: true, outputClaimToHeaders: [ { header: x-group, claim: group } ]'),
    );
    const sent = bearer(token({ group: 'dev' }));
    await call('web', 'ratings', '/', { headers: { ...sent.headers, 'x-group': 'forged' } });
    expect(asked.at(-1)?.headers).toMatchObject({ authorization: sent.headers.authorization, 'x-group': 'dev' });
  });

  it('never takes a public key for a shared secret, and no key for any', async () => {
    await apply(authentication());
    const [, payload = ''] = token({}).split('.');
    for (const alg of ['none', 'HS256', 'RS256', 'ES384']) {
      const forged = `${encoded({ alg, kid: 'one' })}.${payload}.${encoded({ a: 1 })}`;
      expect(await statusOf('web', 'ratings', '/', bearer(forged)), alg).toBe(401);
    }
    expect(asked).toEqual([]);
  });

  it('of a set whose keys cannot be fetched are refused, and it is said', async () => {
    const text = policy('jwt', '{ jwtRules: [ { issuer: me, jwksUri: https://id.test/keys } ] }', {
      kind: 'RequestAuthentication',
    });
    const { findings } = await mesh.client.call('applyResources', { files: [{ name: 'jwt.yaml', text }] });
    expect(findings.map(({ message }) => message).join()).toContain('keys are not fetched');
    expect(await statusOf('web', 'ratings', '/', bearer(token({})))).toBe(401);
    expect(await statusOf('web', 'ratings')).toBe(200);
  });
});
