import type { MeshClient } from '../../src/client/mesh-client.js';
import { serviceOf, type WorkloadSpec } from '../../src/model/app.js';
import type { Exchange } from '../../src/model/exchange.js';
import { appOf, workload } from '../support/apps.js';
import { freePort, startMesh } from '../support/mesh.js';
import type { Scripts } from './case.js';
import { type Hit, RecordingApp } from './recording-app.js';
import { type Answer, type SentRequest, send } from './sender.js';

/** Where cases are replayed: a mesh with the pods that they were observed with, driven through its public door. */
export interface World {
  /** Applies YAML; the problems that it was refused for, or nothing. */
  apply(name: string, yaml: string): Promise<string[]>;
  /** Everything that was applied is gone. */
  clear(): Promise<void>;
  /** Pods that are not named answer 200; absent pods of a partial script stay as they are. */
  script(scripts: Scripts, rest: 'reset' | 'keep'): Promise<void>;
  send(to: string, request: Omit<SentRequest, 'host' | 'port'>): Promise<Answer>;
  /** What apps received since the last call, in the order in which it came, and connections by pod. */
  take(): Promise<{ hits: Hit[]; connections: Record<string, number> }>;
  /** What the caller's sidecar recorded of requests, by their ids; those beyond the limit of records are missing. */
  exchanges(ids: ReadonlySet<string>, atLeast: number): Promise<Exchange[]>;
  close(): Promise<void>;
}

export const PODS: readonly WorkloadSpec[] = [
  workload('web-v1'),
  ...['reviews-v1', 'reviews-v2', 'reviews-v3', 'ratings-v1'].map((name) => workload(name, { meshed: false })),
  ...['details-v1-a', 'details-v1-b'].map((name) =>
    workload(name, {
      app: 'details',
      version: 'v1',
      labels: { app: 'details', version: 'v1' },
      serviceAccount: 'details',
      meshed: false,
    }),
  ),
  workload('orders-v1', { namespace: 'other', meshed: false }),
];

/** Services with the addresses that the cases name. */
export const SERVICES = ['web', 'reviews', 'ratings', 'details', 'orders'].map((name, i) => ({
  ...serviceOf(name, name === 'orders' ? 'other' : 'default', [{ port: 9080, protocol: 'http' }], i),
  virtualIp: `10.96.0.${i + 1}`,
}));

/** The world inside this process: sidecar and control plane are the real ones, apps answer on loopback. */
export async function localWorld(): Promise<World> {
  const pods = new Map<string, RecordingApp>();
  for (const { name } of PODS.slice(1)) {
    const app = new RecordingApp(name, { host: '127.0.0.1', port: await freePort() });
    pods.set(name, app);
    await app.script(undefined);
  }
  const app = { ...appOf(PODS), services: SERVICES };
  const places = Object.fromEntries([...pods].map(([name, { port }]) => [name, { 9080: port }]));
  const mesh = await startMesh(app, { 'web-v1': (_request, response) => void response.end(), ...places });
  const { client } = mesh;
  return {
    ...policyWorld(client),
    async script(scripts, rest) {
      for (const [name, pod] of pods) {
        if (rest === 'reset') pod.forget();
        if (scripts[name] !== undefined || rest === 'reset') await pod.script(scripts[name]);
      }
    },
    async send(to, request) {
      const port = await portTo(mesh, to);
      return send({ ...request, host: '127.0.0.1', port });
    },
    async take() {
      const taken = [...pods.values()].map((pod) => ({ pod: pod.pod, ...pod.take() }));
      return {
        hits: taken.flatMap(({ hits }) => hits).sort((a, b) => a.at - b.at),
        connections: Object.fromEntries(taken.map(({ pod, connections }) => [pod, connections])),
      };
    },
    async close() {
      await mesh.close();
      for (const pod of pods.values()) await pod.close();
    },
  };
}

/** What of a world goes through the control plane's door. */
export function policyWorld(client: MeshClient): Pick<World, 'apply' | 'clear' | 'exchanges'> {
  return {
    async apply(name, yaml) {
      const { applied, findings, refused } = await client.call('applyResources', { files: [{ name, text: yaml }] });
      if (applied) return [];
      return [
        ...findings.filter(({ level }) => level === 'error').map(({ source, message }) => `${source.line}: ${message}`),
        ...refused.map(({ workload: who, reason }) => `${who}: ${reason}`),
      ];
    },
    async clear() {
      await client.call('deleteResources', { all: true });
    },
    async exchanges(ids, atLeast) {
      const deadline = performance.now() + 20_000;
      for (;;) {
        const all = await client.call('exchanges', { from: 'web-v1', direction: 'outbound', limit: 5_000 });
        const found = all.filter(({ requestId }) => ids.has(requestId));
        if (found.length >= atLeast || performance.now() > deadline) return found;
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    },
  };
}

/** Without interception every service has a port of the caller's own; which service is meant by a host says its beginning. */
async function portTo(mesh: Awaited<ReturnType<typeof startMesh>>, to: string): Promise<number> {
  const [host = '', port = ''] = to.split(':');
  const service = SERVICES.find(
    ({ virtualIp, name, host: full }) => [virtualIp, name, full].includes(host) || full.startsWith(`${host}.`),
  );
  const view = (await mesh.client.call('workloads', {})).find(({ name }) => name === 'web-v1');
  const found = view?.listenPorts[`out:${service?.name ?? host}:${port}`];
  if (found === undefined) throw new Error(`web-v1 has no way to ${to}: ${Object.keys(view?.listenPorts ?? {})}`);
  return found;
}
