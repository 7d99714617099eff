import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { stringify } from 'yaml';
import { MeshClient } from '../../src/client/mesh-client.js';
import { Cli } from '../support/cli.js';
import type { Hit } from './recording-app.js';
import type { Answer } from './sender.js';
import { PODS, policyWorld, type World } from './world.js';

/** The world in containers: real interception, real addresses; pods are told what to do on a port of their own. */
export async function dockerWorld(): Promise<World> {
  const cli = new Cli();
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
  const file = join(folder, 'vectors.yaml');
  writeFileSync(file, composeFile(await bundled()));
  const { code, stderr } = await cli.run('up', file, '-d', '--runtime', 'docker', '--port', '0', '--load', '0');
  if (code !== 0) throw new Error(stderr);
  const { apiPort, apiToken } = JSON.parse(readFileSync(join(cli.home, 'sandboxes/vectors/sandbox.json'), 'utf8')) as {
    apiPort: number;
    apiToken: string;
  };
  const client = new MeshClient({ url: `http://127.0.0.1:${apiPort}`, token: apiToken });
  const addresses = new Map((await client.call('workloads', {})).map(({ name, address }) => [name, address]));
  const tell = async <T>(pod: string, order: string, body: unknown = null): Promise<T> => {
    const url = `http://${addresses.get(pod)}:9099${order}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${pod} ${order}: ${answer}`);
    return JSON.parse(answer) as T;
  };
  const apps = PODS.slice(1).map(({ name }) => name);
  return {
    ...policyWorld(client),
    async script(scripts, rest) {
      for (const name of apps) {
        if (rest === 'reset') await tell(name, '/forget');
        if (scripts[name] !== undefined || rest === 'reset') await tell(name, '/script', scripts[name] ?? null);
      }
    },
    send(to, request) {
      const [host = '', port = ''] = to.split(':');
      return tell<Answer>('web-v1', '/send', { ...request, host, port: Number(port) });
    },
    async take() {
      const taken = await Promise.all(
        apps.map(async (pod) => ({ pod, ...(await tell<{ hits: Hit[]; connections: number }>(pod, '/take')) })),
      );
      return {
        hits: taken.flatMap(({ hits }) => hits).sort((a, b) => a.at - b.at),
        connections: Object.fromEntries(taken.map(({ pod, connections }) => [pod, connections])),
      };
    },
    async close() {
      await cli.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function bundled(): Promise<string> {
  const entry = join(import.meta.dirname, 'pod-program.ts');
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify: true,
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

function composeFile(program: string): string {
  const services = PODS.map(({ name, app, version, namespace, meshed }) => [
    name,
    {
      image: 'mesh-sandbox:local',
      // A dollar sign would be a variable of the Compose file.
      command: ['node', '-e', program.replaceAll('$', '$$$$')],
      labels: { app, version },
      environment: { POD: name },
      expose: ['9080', '9099'],
      'x-mesh': { namespace, sidecar: meshed, serviceAccount: app, ports: { 9080: 'http', 9099: 'tcp' } },
    },
  ]);
  return stringify({
    name: 'vectors',
    services: Object.fromEntries(services),
    'x-mesh': { gateway: { service: 'web', port: 9080 }, load: { rps: 0, paths: ['/'] } },
  });
}
