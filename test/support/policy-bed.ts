import { request as httpRequest, type RequestListener } from 'node:http';
import { expect } from 'vitest';
import { flavorOf } from '../../src/model/flavor.js';
import { appOf, workload } from './apps.js';
import { startMesh, type TestMesh } from './mesh.js';
import { until } from './until.js';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A mesh of a flavour: `web` calls the others, and so does whoever has no sidecar. */
export interface PolicyBed {
  readonly mesh: TestMesh;
  /** Applies documents; none of them may have an error. Answers the codes of what is told of them. */
  apply(...documents: readonly string[]): Promise<string[]>;
  reset(): Promise<unknown>;
  /** A call of `web` through both sidecars. */
  call(to: string, path?: string, init?: CallInit): Promise<Answer>;
  /** A request to any address; the path goes as it is written. */
  ask(origin: string, path: string, init: CallInit): Promise<Answer>;
  /** The explanation of a request by its id, once it is known: its steps, a line each. */
  explained(id: string): Promise<string>;
  /** A call in plaintext to a callee's sidecar. */
  callUnmeshed(to: string, path?: string): Promise<number>;
  close(): Promise<void>;
}

export interface CallInit {
  readonly from?: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An app of this name has no sidecar. */
export const OUTSIDER = 'outsider';

export async function policyBed(
  flavor: string,
  apps: Readonly<Record<string, RequestListener>>,
  seed = 1,
): Promise<PolicyBed> {
  const all = { web: (_: unknown, response: { end: () => void }) => response.end(), ...apps } as typeof apps;
  const mesh = await startMesh(
    appOf(Object.keys(all).map((name) => workload(name, { meshed: name !== OUTSIDER }))),
    all,
    // As the command line has it.
    { flavor, seed, features: { mtls: flavorOf(flavor).mtls } },
  );
  return {
    mesh,
    async apply(...documents) {
      const files = [{ name: 'policies.yaml', text: documents.join('\n---\n') }];
      const { applied, findings } = await mesh.client.call('applyResources', { files });
      expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
      expect(applied).toBe(true);
      return findings.map(({ code }) => code);
    },
    ask,
    reset: () => mesh.client.call('deleteResources', { all: true }),
    async call(to, path = '/', { from = 'web', ...init } = {}) {
      return ask(await mesh.outboundUrl(from, to), path, init);
    },
    async explained(id) {
      let steps: readonly { readonly text: string }[] = [];
      await until(async () => {
        const found = await mesh.client.call('explain', { id }).catch(() => null);
        steps = found?.steps ?? [];
        return found !== null;
      }, `the request ${id} is known`);
      return steps.map(({ text }) => text).join('\n');
    },
    async callUnmeshed(to, path = '/') {
      const view = (await mesh.client.call('workloads', {})).find(({ name }) => name === to);
      return (await ask(`http://127.0.0.1:${view?.listenPorts['in:9080']}`, path, { headers: { host: to } })).status;
    },
    close: () => mesh.close(),
  };
}

/** The path goes as it is written: a URL would put it right. */
function ask(origin: string, path: string, { method = 'GET', body = '', headers = {} }: CallInit): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(origin, { path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
