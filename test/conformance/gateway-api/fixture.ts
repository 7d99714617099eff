import { request as httpRequest } from 'node:http';
import type { AppSpec, ServiceSpec } from '../../../src/model/app.js';
import { fqdn, serviceKey, virtualIp } from '../../../src/model/names.js';
import type { ResourceView } from '../../../src/protocol/api-types.js';
import { appOf, workload } from '../../support/apps.js';
import { startMesh } from '../../support/mesh.js';
import { type Echo, echo } from './echo.js';

export const MESH = 'gateway-conformance-mesh';
export const CONSUMER = 'gateway-conformance-mesh-consumer';

export interface Ask {
  readonly from?: 'echo-v1' | 'consumer';
  /** Service of the mesh's namespace, with its port; default `echo:80`. `gateway` = from outside. */
  readonly to?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null = the answer is no app's. */
  readonly echo: Echo | null;
}

/** The suite's mesh: `echo` of two versions, each a Service too, a third backend, and a caller in another namespace. */
export interface Fixture {
  ask(ask: Ask): Promise<Answer>;
  /** The pod of a workload by its own address: nothing of the caller's mesh is on the way. */
  askPod(workload: string, path: string): Promise<Answer>;
  /** What a pod of `echo:80` says back on a connection that is upgraded for a path. */
  upgraded(path: string, text: string): Promise<string>;
  /** Applies; what is wrong with it otherwise. */
  apply(yaml: string): Promise<string[]>;
  clear(): Promise<void>;
  resource(kind: string, name: string): Promise<ResourceView>;
  close(): Promise<void>;
}

const ports = [{ port: 8080, protocol: 'http' as const }];
const WORKLOADS = [
  workload('echo-v1', { namespace: MESH, ports }),
  workload('echo-v2', { namespace: MESH, ports }),
  workload('infra-v3', { namespace: MESH, ports }),
  workload('consumer', { namespace: CONSUMER, ports }),
];

const SERVICES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['echo', { app: 'echo' }],
  ['echo-v1', { app: 'echo', version: 'v1' }],
  ['echo-v2', { app: 'echo', version: 'v2' }],
  ['infra-v3', { app: 'infra' }],
];

const APP: AppSpec = {
  ...appOf(WORKLOADS),
  services: SERVICES.map(
    ([name, selector], i): ServiceSpec => ({
      name: serviceKey(name, MESH),
      namespace: MESH,
      host: fqdn(name, MESH),
      virtualIp: virtualIp(i),
      ports: [80, 8080].map((port) => ({ port, protocol: 'http', targetPort: 8080 })),
      selector,
    }),
  ),
  gateway: { service: serviceKey('echo', MESH), port: 80 },
};

export async function startFixture(): Promise<Fixture> {
  const mesh = await startMesh(APP, Object.fromEntries(WORKLOADS.map(({ name }) => [name, echo(name)])));
  const { client, gatewayUrl } = mesh;
  const dial = async (name: string, door: string): Promise<number> => {
    const view = (await client.call('workloads', {})).find((one) => one.name === name);
    const port = view?.listenPorts[door];
    if (port === undefined) throw new Error(`${name} has no ${door}: ${Object.keys(view?.listenPorts ?? {})}`);
    return port;
  };
  return {
    async ask({ from = 'echo-v1', to = 'echo:80', host, ...rest }) {
      if (to === 'gateway') return send(Number(new URL(gatewayUrl).port), { host: host ?? 'x.example.com', ...rest });
      const [service = '', port = '80'] = to.split(':');
      // In its own namespace a Service has a short name.
      const name = from === 'consumer' ? serviceKey(service, MESH) : service;
      return send(await dial(from, `out:${serviceKey(service, MESH)}:${port}`), {
        host: host ?? (port === '80' ? name : `${name}:${port}`),
        ...rest,
      });
    },
    async askPod(name, path) {
      return send(await dial(name, 'in:8080'), { host: '10.0.0.9:8080', path });
    },
    async upgraded(path, text) {
      const port = await dial('echo-v1', `out:${serviceKey('echo', MESH)}:80`);
      return new Promise((resolve, reject) => {
        const headers = { host: 'echo', connection: 'upgrade', upgrade: 'websocket' };
        const request = httpRequest({ port, host: '127.0.0.1', path, headers, agent: false });
        request.on('upgrade', (_, socket) => {
          socket.write(text);
          socket.once('data', (data) => resolve(String(data)));
        });
        request.on('response', ({ statusCode }) => reject(new Error(`it was answered ${statusCode}`)));
        request.on('error', reject).end();
      });
    },
    async apply(yaml) {
      const { applied, findings } = await client.call('applyResources', { files: [{ name: 'case.yaml', text: yaml }] });
      return applied ? [] : findings.map(({ source, message }) => `${source.line}: ${message}`);
    },
    async clear() {
      await client.call('deleteResources', { all: true });
    },
    async resource(kind, name) {
      const [found] = await client.call('resources', { kind, name });
      if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
      return found;
    },
    close: () => mesh.close(),
  };
}

interface Sent extends Omit<Ask, 'from' | 'to'> {
  readonly host: string;
}

function send(port: number, { method = 'GET', path = '/', host, headers = {} }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: '127.0.0.1', method, path, headers: { ...headers, host }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more: string) => {
          text += more;
        });
        response.on('error', reject).on('end', () => {
          const fields = Object.entries(response.headersDistinct).map(([name, all]) => [name, (all ?? []).join(',')]);
          const said = text.startsWith('{"pod"') ? (JSON.parse(text) as Echo) : null;
          resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(fields), echo: said });
        });
      },
    );
    request.on('error', reject).end();
  });
}
