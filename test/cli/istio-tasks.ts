import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
import type { Explanation } from '../../src/model/explanation.js';
import type { ApplyResult } from '../../src/protocol/api-types.js';
import { Cli } from '../support/cli.js';
import type { StatusOutput } from './scenario.js';

const folder = resolve(import.meta.dirname, '../../examples/istio');

/** Istio's task pages on Bookinfo, `kubectl apply` replaced by `mesh-sandbox apply`: the same on both runtimes. */
export function istioTasksScenario(runtime: 'docker' | 'local'): void {
  describe(`Istio's tasks on ${runtime}`, () => {
    const cli = new Cli();
    let url = '';

    beforeAll(async () => {
      const { code, stderr } = await cli.run('up', '-d', '--runtime', runtime, '--port', '0', '--load', '0');
      expect(stderr).toContain('ready in');
      expect(code).toBe(0);
      url = (await cli.json<StatusOutput>('status', '-o', 'json')).status.gatewayUrl;
    });
    afterAll(() => cli.close());
    beforeEach(async () => {
      await cli.run('delete', '--all');
    });

    const apply = async (...names: string[]): Promise<ApplyResult> => {
      const files = ['destination-rules', ...names].flatMap((name) => ['-f', resolve(folder, `${name}.yaml`)]);
      const result = await cli.json<ApplyResult>('apply', ...files, '-o', 'json');
      expect(result.applied).toBe(true);
      return result;
    };
    const page = async (user = '') => {
      const headers: Record<string, string> = user === '' ? {} : { 'end-user': user };
      const started = performance.now();
      const response = await fetch(`${url}/productpage`, { headers });
      const html = await response.text();
      const stars = /\((no|black|red) stars: v\d\)/.exec(html)?.[1] ?? '';
      return { status: response.status, html, stars, seconds: (performance.now() - started) / 1_000 };
    };
    const starsOf = async (times: number, user = ''): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (let i = 0; i < times; i++) {
        const { stars } = await page(user);
        counts[stars] = (counts[stars] ?? 0) + 1;
      }
      return counts;
    };
    const exchanges = (...path: string[]) =>
      cli.json<{ exchanges: Exchange[]; explanation: Explanation }>('curl', ...path);

    it('request routing: everybody meets v1, then jason v2', async () => {
      const { sidecars } = await apply('all-v1');
      expect(sidecars.length).toBeGreaterThanOrEqual(6);
      expect(await starsOf(12)).toEqual({ no: 12 });
      await apply('reviews-jason-v2');
      expect(await starsOf(6)).toEqual({ no: 6 });
      expect(await starsOf(6, 'jason')).toEqual({ black: 6 });
    });

    it('traffic shifting: half of it, then all of it', async () => {
      await apply('all-v1', 'reviews-50-v3');
      const { no = 0, red = 0, ...others } = await starsOf(100);
      expect(others).toEqual({});
      // Of 100 each share lies within 17 of the half in 99.9 of 100 runs.
      expect(Math.abs(no - red)).toBeLessThan(34);
      await apply('reviews-v3');
      expect(await starsOf(10)).toEqual({ red: 10 });
    });

    it('B-076 fault injection: seven seconds at ratings end in no reviews after six, for jason alone', async () => {
      await apply('all-v1', 'reviews-jason-v2', 'ratings-delay');
      const slow = await page('jason');
      expect(slow.html).toContain('Sorry, product reviews are currently unavailable for this book.');
      expect(slow.seconds).toBeGreaterThan(5.5);
      expect(slow.seconds).toBeLessThan(8);
      const quick = await page();
      expect(quick.stars).toBe('no');
      expect(quick.seconds).toBeLessThan(3);
    });

    it('B-076 fault injection: an abort shows at once, for jason alone', async () => {
      await apply('all-v1', 'reviews-jason-v2', 'ratings-abort');
      const sick = await page('jason');
      expect(sick.html).toContain('Ratings service is currently unavailable');
      expect(sick.seconds).toBeLessThan(3);
      expect((await page('anna')).html).not.toContain('currently unavailable');
    });

    it('B-077 request timeouts: the page comes after about one second, without reviews', async () => {
      await apply('request-timeout');
      const late = await page();
      expect(late.html).toContain('Sorry, product reviews are currently unavailable for this book.');
      expect(late.seconds).toBeGreaterThan(0.9);
      expect(late.seconds).toBeLessThan(2.5);
    });

    it('B-074 circuit breaking: one at a time, and what comes beside it is turned away', async () => {
      await apply('circuit-breaker');
      const asked = await Promise.all(Array.from({ length: 60 }, () => fetch(`${url}/api/v1/products/0`)));
      const statuses = new Set(asked.map(({ status }) => status));
      expect(statuses.has(200)).toBe(true);
      expect(statuses.has(503)).toBe(true);
    });

    it('mirroring: v1 answers, v3 gets a copy', async () => {
      await apply('mirror');
      const { exchanges: seen } = await exchanges(
        '--from',
        'productpage-v1',
        'http://reviews:9080/reviews/0',
        '--json',
      );
      const inbound = seen
        .filter(({ reporter }) => reporter.direction === 'inbound')
        .map(({ reporter }) => reporter.workload);
      expect(inbound).toContain('reviews-v1');
      expect(inbound).toContain('reviews-v3');
      expect(seen.some(({ decisions }) => decisions.some(({ kind }) => kind === 'mirror'))).toBe(true);
    });

    it('B-095 authorization: nothing, then the page, then who it reads', async () => {
      await apply('allow-nothing');
      const denied = await fetch(`${url}/productpage`);
      expect(denied.status).toBe(403);
      expect(await denied.text()).toBe('RBAC: access denied');
      await apply('allow-productpage');
      const bare = await page();
      expect(bare.html).toContain('Error fetching product details');
      expect(bare.html).toContain('Error fetching product reviews');
      await apply('allow-all-viewers');
      const whole = await page();
      expect(whole.html).not.toContain('Error fetching');
      const black = await apply('reviews-jason-v2').then(() => page('jason'));
      expect(black.html).not.toContain('currently unavailable');
      // Who is not named is kept out, and told by which rule: curl ends with 1.
      const { stdout, code } = await cli.run('curl', '--from', 'details-v1', 'http://ratings:9080/ratings/0', '--json');
      const { explanation } = JSON.parse(stdout) as { explanation: Explanation };
      expect(code).toBe(1);
      expect(explanation.blame).toBe('callee-policy');
    });

    if (runtime === 'docker')
      it("B-058: a call to the sidecar's own ports ends in an error, never in a circle", async () => {
        const { workloads } = await cli.json<StatusOutput>('status', '-o', 'json');
        const address = workloads.find(({ name }) => name === 'reviews-v2')?.address ?? '';
        for (const port of [15001, 15006]) {
          const { stdout } = await cli.run(
            'curl',
            '--from',
            'reviews-v2',
            `http://${address}:${port}/`,
            '--timeout',
            '5s',
            '--json',
          );
          const { status, error } = JSON.parse(stdout) as { status: number; error: string | null };
          expect(error !== null || status >= 400, `${port}: ${status} ${error}`).toBe(true);
          expect(error ?? '').not.toContain('no answer within');
        }
      });

    it('policy tests hold with traffic too, and what was applied is applied again', async () => {
      await apply('all-v1');
      const files = ['tests.yaml', 'authorization-tests.yaml', 'split-tests.yaml'].map((name) => resolve(folder, name));
      const { code, stdout, stderr } = await cli.run('test', ...files, '--traffic');
      expect(`${stdout}${stderr}`).not.toContain('✗');
      expect(code).toBe(0);
      const kept = await cli.json<{ name: string }[]>('get', 'vs', '-o', 'json');
      expect(kept.map(({ name }) => name).sort()).toEqual(['details', 'productpage', 'ratings', 'reviews']);
    });

    it('gateway: only the paths that are named come in', async () => {
      await apply('gateway');
      expect((await page()).status).toBe(200);
      expect((await fetch(`${url}/health`)).status).toBe(404);
    });
  });
}
