import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Addresses, PartExit, Runtime, SandboxHost, SandboxPlan } from '../../src/runtime/runtime.js';
import { until } from '../support/until.js';
import { logLines, removeFolder, testPlan, testPrograms } from './bed.js';

/** A sandbox in which every part runs, for the tests of one runtime. */
export interface Stand {
  readonly runtime: Runtime;
  readonly plan: SandboxPlan;
  readonly host: SandboxHost;
  readonly addresses: Addresses;
  /** Ports that test sidecars listen on. */
  readonly listen: readonly number[];
  readonly exits: PartExit[];
}

export const SECRET = 'join-token-0f9d3a77c1';

/** The line that a part of ours is started with; `nonce` makes it unlike every other. */
export function bootstrapOf(listen: readonly number[], nonce = ''): string {
  return JSON.stringify({ lifeline: false, listen, joinToken: SECRET, nonce });
}

export function receiptOf(bootstrap: string): string {
  return `bootstrap ${createHash('sha256').update(bootstrap).digest('hex')}`;
}

/** What every runtime must do, plus the runtime's own tests in `more`. */
export function runtimeContract(
  open: (programs: string) => Promise<{ runtime: Runtime; listen: readonly number[] }>,
  more: (stand: () => Stand) => void,
): void {
  let stand: Stand;
  let programs: string;

  beforeAll(async () => {
    programs = await testPrograms();
    const { runtime, listen } = await open(programs);
    const plan = await testPlan('owner-of-tests');
    const host = runtime.sandbox(plan);
    const exits: PartExit[] = [];
    await runtime.prepare(() => {});
    const addresses = await host.open();
    stand = { runtime, plan, host, addresses, listen, exits };
    await host.watch((exit) => exits.push(exit));
    await Promise.all([
      ...['front', 'back-v1'].map((name) => host.createPod(name)),
      ...['control-plane', 'gateway', 'load'].map((part) => host.createPart(part)),
    ]);
    for (const part of ['control-plane', 'gateway', 'load', 'back-v1/sidecar'])
      await host.start(part, bootstrapOf([], part));
    await host.start('front/sidecar', bootstrapOf(listen));
    await host.start('front/app', null, { 'out:back:9080': listen[0] ?? 0 });
  });

  afterAll(async () => {
    if (stand !== undefined) await stand.runtime.remove(stand.plan, stand.plan.directory);
    removeFolder(programs);
  });

  describe('starting', () => {
    it('hands the bootstrap over on standard input', async () => {
      await seen('front/sidecar', receiptOf(bootstrapOf(stand.listen)));
      await seen('gateway', receiptOf(bootstrapOf([], 'gateway')));
      await seen('control-plane', receiptOf(bootstrapOf([], 'control-plane')));
      await seen('load', receiptOf(bootstrapOf([], 'load')));
    });

    it('tells the app where its neighbours are', async () => {
      await seen('front/app', 'app {');
    });
  });

  describe('ending', () => {
    it('tells of a part that was killed, and starts it again with a new bootstrap', async () => {
      const { host } = stand;
      await host.signal('back-v1/sidecar', 'SIGKILL');
      await exitOf('back-v1/sidecar', { signal: 'SIGKILL' });
      await host.start('back-v1/sidecar', bootstrapOf([], 'second'));
      await seen('back-v1/sidecar', receiptOf(bootstrapOf([], 'second')));
    });

    it('stops with the signal first, and twice is as good as once', async () => {
      const { host } = stand;
      await host.stop('load', 5_000);
      await exitOf('load', { code: 0 });
      await host.stop('load', 5_000);
      await host.start('load', bootstrapOf([], 'again'));
      await seen('load', receiptOf(bootstrapOf([], 'again')));
    });

    it('starts an app again after its death', async () => {
      const { host, listen } = stand;
      await host.start('back-v1/app', null, {});
      await seen('back-v1/app', 'app {');
      await host.signal('back-v1/app', 'SIGKILL');
      await exitOf('back-v1/app', { signal: 'SIGKILL' });
      await host.start('back-v1/app', null, { 'out:back:9080': listen[0] ?? 0 });
      await until(async () => (await logLines(host, 'back-v1/app')).length === 2, 'the second start in the log');
    });
  });

  describe('looking', () => {
    it('gives the last lines of a log, and follows it until told to stop', async () => {
      const { host } = stand;
      const stop = new AbortController();
      const lines: string[] = [];
      const following = (async () => {
        for await (const line of host.logs('gateway', { tail: 1, follow: true, signal: stop.signal })) lines.push(line);
      })();
      await until(() => lines.length === 1, 'the last line');
      await host.stop('gateway', 5_000);
      await host.start('gateway', bootstrapOf([], 'follow'));
      const again = stand.runtime.kind === 'docker' ? logLines(host, 'gateway') : Promise.resolve(lines);
      await until(async () => [...(await again), ...lines].join().includes('bootstrap'), 'what came after');
      stop.abort();
      await following;
    });

    it('measures every running part', async () => {
      const { host } = stand;
      await until(async () => (await host.usage()).length === 7, 'seven parts run');
      const usage = await host.usage();
      expect(usage.map(({ part }) => part).sort()).toEqual([
        'back-v1/app',
        'back-v1/sidecar',
        'control-plane',
        'front/app',
        'front/sidecar',
        'gateway',
        'load',
      ]);
      for (const { memoryBytes, cpu } of usage) {
        expect(memoryBytes).toBeGreaterThan(1024 * 1024);
        expect(cpu).toBeGreaterThanOrEqual(0);
      }
    });

    it('sends a request from inside a workload, with the headers that were given and no others', async () => {
      const { host, listen } = stand;
      await seen('front/sidecar', 'listens on');
      const request = {
        method: 'GET',
        url: 'http://back:9080/path?q=1',
        headers: [['x-request-id', 'probe-1']] as [string, string][],
        body: null,
        timeoutMs: 5_000,
      };
      const { code, stdout } = await host.probe('front', request, { 'out:back:9080': listen[0] ?? 0 });
      expect(code).toBe(0);
      const result = JSON.parse(stdout) as { status: number; body: string; durationMs: number; error: null };
      expect(result).toMatchObject({ status: 200, error: null });
      expect(result.durationMs).toBeGreaterThan(0);
      const answer = JSON.parse(result.body) as { url: string; headers: string[] };
      expect(answer.url).toBe('/path?q=1');
      expect(answer.headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())).toEqual(
        expect.arrayContaining(['host', 'x-request-id']),
      );
      expect(answer.headers.join().toLowerCase()).not.toMatch(/user-agent|accept/);
    });
  });

  more(() => stand);

  describe('removing', () => {
    it('leaves nothing, even of what is being made meanwhile, and twice is as good as once', async () => {
      const plan = await testPlan('owner-of-tests', 4);
      const host = stand.runtime.sandbox(plan);
      await host.open();
      const making = Promise.allSettled(plan.app.workloads.map(({ name }) => host.createPod(name)));
      await stand.runtime.remove(plan, plan.directory);
      await making;
      expect((await stand.runtime.find(plan.owner)).filter(({ id }) => id === plan.id)).toEqual([]);
      expect(existsSync(plan.directory)).toBe(false);
      expect(await stand.runtime.remove(plan, plan.directory)).toEqual([]);
    });
  });

  async function seen(part: string, text: string): Promise<void> {
    await until(async () => (await logLines(stand.host, part)).join('\n').includes(text), `${part} says ${text}`);
  }

  async function exitOf(part: string, expected: Partial<PartExit>): Promise<void> {
    const isIt = (exit: PartExit): boolean =>
      exit.part === part && Object.entries(expected).every(([key, value]) => exit[key as keyof PartExit] === value);
    await until(() => stand.exits.some(isIt), `${part} ended with ${JSON.stringify(expected)}`);
  }
}
