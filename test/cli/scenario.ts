import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/model/explanation.js';
import type { EdgeStats, FaultView, Status, WorkloadView } from '../../src/protocol/api-types.js';
import { Cli } from '../support/cli.js';
import { until } from '../support/until.js';

export interface StatusOutput {
  readonly status: Status;
  readonly workloads: readonly WorkloadView[];
  readonly edges: readonly EdgeStats[];
  readonly faults: readonly FaultView[];
}

export interface Engine {
  /** Sends SIGKILL to a part of the sandbox, from outside. */
  kill(cli: Cli, part: string): Promise<void>;
  /** Everything of ours that the engine (or the system) still has. */
  leftovers(cli: Cli): Promise<string[]>;
}

/** What a newcomer does, on one runtime, through the command line: the same for both. */
export function newcomerScenario(runtime: 'docker' | 'local', engine: Engine): void {
  describe(`a newcomer on ${runtime}`, () => {
    const cli = new Cli();
    let url = '';
    const status = () => cli.json<StatusOutput>('status', '-o', 'json');
    const page = async () => (await fetch(`${url}/productpage`)).status;

    beforeAll(async () => {
      const { code, stderr } = await cli.run(
        'up',
        '-d',
        '--runtime',
        runtime,
        '--port',
        '0',
        '--load',
        '5',
        '--seed',
        '3',
      );
      expect(stderr).toContain('ready in');
      expect(code).toBe(0);
      url = (await status()).status.gatewayUrl;
    });
    afterAll(() => cli.close());

    it('sees Bookinfo through the gateway, encrypted on every edge', async () => {
      const response = await fetch(`${url}/productpage`);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('The Comedy of Errors');
      await until(async () => (await status()).edges.filter(({ rps }) => rps > 0).length >= 5, 'edges live', 30_000);
      const { edges, status: state } = await status();
      expect(edges.every(({ mtlsShare }) => mtlsShare === 1)).toBe(true);
      expect(state.ready).toBe(true);
    });

    it('sees all three versions of reviews', async () => {
      const stars = new Set<string>();
      await until(async () => {
        const html = await (await fetch(`${url}/productpage`)).text();
        stars.add(/\((no|black|red) stars: v\d\)/.exec(html)?.[1] ?? '');
        return stars.has('no') && stars.has('black') && stars.has('red');
      }, 'three versions');
    });

    it('asks from inside a workload and is told every hop', async () => {
      const result = await cli.json<{ status: number; body: string; explanation: Explanation }>(
        'curl',
        '--from',
        'reviews-v2',
        'http://ratings:9080/ratings/0',
        '--json',
      );
      expect(result.status).toBe(200);
      expect(JSON.parse(result.body)).toEqual({ id: 0, ratings: { Reviewer1: 5, Reviewer2: 4 } });
      const told = result.explanation.steps.map(({ text }) => text).join('\n');
      expect(told).toContain('it proved spiffe://cluster.local/ns/default/sa/bookinfo-ratings');
      expect(told).toContain('proved by certificate (spiffe://cluster.local/ns/default/sa/bookinfo-reviews)');
    });

    it('makes ratings sick, sees retries save most requests, and sees them switched off', async () => {
      await cli.run('load', '40');
      const added = await cli.json<FaultView>(
        'fault',
        'add',
        '--to',
        'ratings',
        '--abort',
        '503',
        '--percent',
        '50',
        '-o',
        'json',
      );
      expect(added.active).toBe(true);
      const ratings = async () => (await status()).edges.filter(({ service, rps }) => service === 'ratings' && rps > 1);
      await until(
        async () =>
          (await ratings()).some(
            (edge) =>
              edge.retriesPerSecond > 1 && (edge.attemptSuccessRate ?? 1) < 0.75 && (edge.successRate ?? 0) > 0.7,
          ),
        'retries save',
        40_000,
      );
      await cli.run('features', 'disable', 'retries');
      await until(
        async () => (await ratings()).some((edge) => edge.retriesPerSecond === 0 && (edge.successRate ?? 1) < 0.7),
        'nothing saves',
        40_000,
      );
      await cli.run('features', 'enable', 'retries');
      expect((await cli.run('fault', 'clear')).stderr).toContain('1 fault removed');
      await until(async () => (await ratings()).every((edge) => edge.successRate === 1), 'healthy again', 40_000);
      await cli.run('load', '5');
    });

    it('loses no request while the control plane is killed', async () => {
      const statuses: number[] = [];
      let killed = false;
      const ask = async (): Promise<void> => {
        while (!killed || statuses.length < 300) statuses.push(await page());
      };
      const asking = Promise.all([ask(), ask()]);
      for (let n = 0; n < 2; n++) {
        await engine.kill(cli, 'control-plane');
        await until(async () => (await status().catch(() => null))?.status.ready === true, 'ready again', 20_000);
      }
      killed = true;
      await asking;
      expect(statuses.filter((code) => code !== 200)).toEqual([]);
    });

    it('gets a killed sidecar back within two seconds, and is told', async () => {
      const before = (await status()).workloads.find(({ name }) => name === 'details-v1')?.restarts.sidecar ?? 0;
      const started = performance.now();
      await engine.kill(cli, 'details-v1/sidecar');
      await until(async () => {
        const view = (await status()).workloads.find(({ name }) => name === 'details-v1');
        return view !== undefined && view.restarts.sidecar > before && view.sidecar === 'connected' && view.appReady;
      }, 'the sidecar is back');
      const took = performance.now() - started;
      console.info(`sidecar back after ${Math.round(took)} ms on ${runtime} (looked at through the command line)`);
      await until(
        async () =>
          (
            await cli
              .json<{ status: number }>('curl', '--from', 'productpage-v1', 'http://details:9080/details/0', '--json')
              .catch(() => null)
          )?.status === 200,
        'it serves',
      );
    });

    it('attaches with a second up, and runs a second sandbox beside it', async () => {
      const again = await cli.run('up', '-d', '--runtime', runtime, '--port', '0');
      expect(again.code).toBe(0);
      expect(again.stderr).toContain('is up already');
      const other = await cli.run('up', '-d', '--runtime', runtime, '--port', '0', '--name', 'second', '--load', '0');
      expect(other.code).toBe(0);
      expect((await cli.json<{ name: string }[]>('list', '-o', 'json')).map(({ name }) => name)).toEqual([
        'bookinfo',
        'second',
      ]);
      const down = await cli.run('down', '--name', 'second');
      expect(down.code, down.stderr).toBe(0);
      expect(await page()).toBe(200);
    });

    it('runs the same app without a mesh: the baseline, behind a plain reverse proxy', async () => {
      const plain = ['--no-mesh', '--name', 'plain', '--runtime', runtime, '--port', '0'];
      const { code, stderr } = await cli.run('up', '-d', ...plain);
      expect(code).toBe(0);
      expect(stderr).toContain('a plain reverse proxy, no sidecars');
      const listed = await cli.json<{ name: string; url: string }[]>('list', '-o', 'json');
      const answer = await fetch(`${listed.find(({ name }) => name === 'plain')?.url}/productpage`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('The Comedy of Errors');
      expect((await cli.run('down', '--name', 'plain')).code).toBe(0);
    });

    it('leaves nothing behind', async () => {
      expect((await cli.run('down')).stderr).toContain('bookinfo is down');
      expect(await engine.leftovers(cli)).toEqual([]);
      const again = await cli.run('down');
      expect(again.code).toBe(0);
      expect(again.stderr).toContain('nothing is running');
    });
  });
}
