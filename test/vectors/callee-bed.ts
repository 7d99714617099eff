import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appOf, workload } from '../support/apps.js';
import { type ClientCertificate, type Issue, issuerOf, strangerIssuer } from '../support/certificates.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import type { AppStep, CalleeCase, CalleeRequest } from './callee-case.js';
import { type Received, send } from './callee-send.js';
import { JWKS, tokenOf } from './callee-tokens.js';

/** A request as an app got it. */
export interface Hit {
  readonly pod: string;
  readonly method: string;
  readonly path: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface Outcome extends Received {
  readonly hits: readonly Hit[];
  /** Fields as they were sent. */
  readonly sent: readonly (readonly [name: string, value: string])[];
}

export interface CalleeBed {
  readonly mesh: TestMesh;
  /** Lays a case's policies on the mesh, alone; '' = done, else why not. */
  lay(one: CalleeCase): Promise<string>;
  ask(one: CalleeCase, request: CalleeRequest): Promise<Outcome>;
  close(): Promise<void>;
}

const CALLEES = ['reviews-v1', 'orders-v1'];
const CALLERS = ['web-v1', 'ratings-v1'];
/** What Istio's sidecars offer to each other. */
const MESH_ALPN = ['istio-http/1.1', 'istio'];
/** Names the request for whoever looks at the bytes; counted among the fields of a head, as in the vectors' own harness. */
const CASE_ID = 'x-case-id';

/** The callees of the vectors' world, with their sidecars and nobody to call them but the test. */
export async function startCalleeBed(): Promise<CalleeBed> {
  const hits: Hit[] = [];
  const steps = new Map<string, AppStep[]>();
  const app = (pod: string) => (request: IncomingMessage, response: ServerResponse) => {
    hits.push({ pod, method: request.method ?? '', path: request.url ?? '', fields: pairsOf(request.rawHeaders) });
    const { status = 200, delay = 0 } = steps.get(pod)?.shift() ?? {};
    request.resume();
    setTimeout(() => response.writeHead(status, { 'x-from-app': pod }).end('ok'), delay);
  };
  const ports = [
    { port: 9080, protocol: 'http' as const },
    { port: 9090, protocol: 'tcp' as const },
  ];
  const servers: Server[] = [];
  const places: Record<string, Record<number, number>> = {};
  for (const pod of CALLEES) {
    places[pod] = {};
    for (const { port } of ports) {
      const server = await silentServer(app(pod));
      servers.push(server);
      places[pod][port] = (server.address() as AddressInfo).port;
    }
  }
  const mesh = await startMesh(
    appOf([
      workload('reviews-v1', { ports }),
      workload('orders-v1', { namespace: 'other' }),
      ...CALLERS.map((name) => workload(name)),
    ]),
    places,
  );
  const [own, stranger] = [await issuerOf(mesh.stateDir), await strangerIssuer()];
  const listenPorts = new Map(
    (await mesh.client.call('workloads', {})).map(({ name, listenPorts: open }) => [name, open]),
  );
  let count = 0;
  return {
    mesh,
    async lay({ policies = '', objects = '', apps = {} }) {
      steps.clear();
      for (const [pod, script] of Object.entries(apps)) steps.set(pod, [...script]);
      await mesh.client.call('deleteResources', { all: true });
      const text = [objects, policies.replaceAll('__JWKS__', JWKS)]
        .filter((part) => part.trim() !== '')
        .join('\n---\n');
      if (text === '') return '';
      const { applied, findings } = await mesh.client.call('applyResources', { files: [{ name: 'case.yaml', text }] });
      return applied ? '' : `not applied: ${findings.map(({ message }) => message).join('; ')}`;
    },
    async ask({ callee = 'reviews-v1' }, request) {
      const { sent, bytes, method } = written(request, String(++count));
      hits.length = 0;
      const received = await send({
        port: listenPorts.get(callee)?.[`in:${request.port ?? 9080}`] ?? 0,
        localAddress: request.source_ip ?? '127.0.0.1',
        bytes,
        method,
        tls: await tlsOf(request, own, stranger),
      });
      return { ...received, hits: [...hits], sent };
    },
    async close() {
      await mesh.close();
      for (const server of servers) server.close().closeAllConnections();
    },
  };
}

/** An app that says nothing to what is no HTTP: a handshake that reaches it runs into the time limit. */
async function silentServer(app: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(app);
  server.on('clientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function tlsOf(request: CalleeRequest, own: Issue, stranger: Issue) {
  const { as, uris, dns = [], tls = false, alpn = MESH_ALPN, sni = '', expired = false } = request;
  const named = as !== undefined || uris !== undefined || dns.length > 0;
  if (!named && !tls) return null;
  const [namespace = '', account = ''] = (as ?? '').split('/');
  const id = `spiffe://${request.trust_domain ?? 'cluster.local'}/ns/${namespace}/sa/${account}`;
  const issue = request.ca === 'other' ? stranger : own;
  const certificate: ClientCertificate | null = named
    ? await issue({ uris: uris ?? (as === undefined ? [] : [id]), dns, expired })
    : null;
  return { certificate, alpn, sni };
}

function written(request: CalleeRequest, id: string) {
  const { method = 'GET', jwt, jwt2, jwt_key: key = 'case', jwt_header: header = {}, body = '' } = request;
  const tokens = [jwt, jwt2].map((claims) => (claims === undefined ? '' : tokenOf({ claims, key, header })));
  const filled = (text: string): string =>
    text
      .replace(/__JWT(2?)__/g, (_, second: string) => tokens[second === '' ? 0 : 1] ?? '')
      .replace(/__FILL(\d+)__/g, (_, n: string) => 'a'.repeat(Number(n)));
  const given = Array.isArray(request.headers)
    ? (request.headers as readonly (readonly [string, string])[])
    : Object.entries(request.headers ?? {});
  const named = request.path.includes('__JWT__') || given.some(([, value]) => value.includes('__JWT__'));
  const host = request.host ?? 'reviews:9080';
  const sent = [
    ['host', host] as const,
    [CASE_ID, id] as const,
    ...given.map(([name, value]) => [name, filled(value)] as const),
    ...(jwt === undefined || named ? [] : [['authorization', `Bearer ${tokens[0]}`.trimEnd()] as const]),
    ...(body === '' ? [] : [['content-length', String(body.length)] as const]),
  ];
  const path = filled(request.path);
  const lines = sent.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return { method, sent, bytes: Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n${body}`) };
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([(raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '']);
  return pairs;
}
