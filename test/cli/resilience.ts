import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
import type { Explanation } from '../../src/model/explanation.js';
import type { FaultView, Incident, Status } from '../../src/protocol/api-types.js';
import { Cli } from '../support/cli.js';
import { until } from '../support/until.js';

const FILE = resolve(import.meta.dirname, '../../examples/resilience/compose.yaml');

interface Asked {
  readonly status: number;
  readonly body: string;
  readonly explanation: Explanation;
  readonly exchanges: readonly Exchange[];
}

/** examples/resilience through the command line, on one runtime: the same for both. */
export function resilienceScenario(runtime: 'docker' | 'local'): void {
  describe(`examples/resilience on ${runtime}`, () => {
    const cli = new Cli();
    // Ends with 1 where the answer is none: what it says is what is looked at.
    const ask = async (url: string, ...more: string[]): Promise<Asked> => {
      const { stdout, stderr } = await cli.run('curl', '--from', 'productpage-v1', url, '--json', ...more);
      if (stdout === '') throw new Error(stderr);
      return JSON.parse(stdout) as Asked;
    };
    const fault = (...args: string[]) => cli.json<FaultView>('fault', 'add', ...args, '-o', 'json');
    const told = ({ explanation }: Asked) => explanation.steps.map(({ text }) => text).join('\n');

    let url = '';
    beforeAll(async () => {
      const { code, stderr } = await cli.run('up', FILE, '-d', '--runtime', runtime, '--port', '0', '--seed', '5');
      expect(stderr).toContain('ready in');
      expect(code).toBe(0);
      url = (await cli.json<{ status: Status }>('status', '-o', 'json')).status.gatewayUrl;
    });
    afterAll(() => cli.close());

    it('routes jason to the stars and others past them', async () => {
      const jason = await ask('http://reviews:9080/reviews/0', '-H', 'end-user=jason');
      expect(told(jason)).toContain('route jason sent it to reviews v2');
      expect(jason.body).toContain('stars');
      const other = await ask('http://reviews:9080/reviews/0');
      expect(told(other)).toContain('route everybody sent it to reviews v1');
      expect(other.body).not.toContain('stars');
    });

    it('keeps a route to the callers that it is for', async () => {
      const asked = await ask('http://reviews:9080/reviews/0', '-H', 'end-user=jason', '--from', 'details-v2');
      expect(told(asked)).toContain('route everybody sent it to reviews v1');
    });

    it('puts the sick one of two aside; retries hide it from callers until then', async () => {
      await fault('--to', 'ratings-v2', '--abort', '503', '--id', 'sick');
      await until(async () => {
        for (let i = 0; i < 4; i++) expect((await fetch(`${url}/api/v1/products/0/ratings`)).status).toBe(200);
        const timeline = await cli.json<Incident[]>('timeline', '-o', 'json');
        return timeline.some(({ kind, workload }) => kind === 'ejected' && workload === 'ratings-v2');
      }, 'ratings-v2 is put aside');
      const { stdout } = await cli.run('timeline');
      expect(stdout).toMatch(/productpage-v1 +ratings-v2 \(.*\) was put aside for 30 s: 3 failures/);
      const hits = async () => (await cli.json<FaultView[]>('fault', 'list', '-o', 'json'))[0]?.hits;
      await until(async () => (await hits()) === 3, 'three hits');
      for (let i = 0; i < 10; i++) expect((await fetch(`${url}/api/v1/products/0/ratings`)).status).toBe(200);
      expect(await hits()).toBe(3);
      await cli.run('fault', 'clear');
    });

    it('asks the other region when the own one is sick', async () => {
      const details = 'http://details:9080/details/0';
      const answeredBy = async () => {
        const { exchanges } = await ask(details);
        return exchanges.find(({ reporter }) => reporter.direction === 'outbound')?.destination.workload;
      };
      expect(await answeredBy()).toBe('details-v1');
      await fault('--to', 'details-v1', '--abort', '503', '--id', 'sick');
      for (let i = 0; i < 3; i++) expect((await ask(details)).status).toBe(503);
      expect(await answeredBy()).toBe('details-v2');
      await cli.run('fault', 'clear');
    });

    it('turns away the caller that asks too often', async () => {
      const one = await ask('http://details:9080/details/0');
      expect(one.status).toBe(200);
      // Ten at once and one per second: thirty in a row are too many, however slow the machine is.
      const asked = await Promise.all(Array.from({ length: 30 }, () => fetch(`${url}/api/v1/products/0`)));
      const refused = asked.filter(({ status }) => status !== 200).length;
      expect(refused).toBeGreaterThan(5);
      expect(refused).toBeLessThan(30);
    });

    it('shows what a broken connection looks like, and blames nobody for it', async () => {
      await fault('--to', 'reviews', '--connection', 'expired-certificate', '--id', 'expired');
      const asked = await ask('http://reviews:9080/reviews/0');
      expect(asked.status).toBe(503);
      expect(asked.explanation.blame).toBe('injected');
      expect(told(asked)).toContain('fault expired acted: show an expired certificate');
      const { stdout, stderr } = await cli.run('fault', 'remove', 'expired');
      expect(stdout + stderr).toMatch(/expired is gone after \d+ hits?/);
    });

    it('lets an answer come slowly, and tells where the time went', async () => {
      await fault('--to', 'reviews-v1', '--bandwidth', '400', '--id', 'slow');
      const asked = await ask('http://reviews:9080/reviews/0');
      expect(asked.status).toBe(200);
      expect(told(asked)).toMatch(/of [\d.]+ m?s: [\d.]+ m?s passing its body on/);
      await cli.run('fault', 'clear');
    });

    it('calls off what nobody waits for any more', async () => {
      await fault('--to', 'ratings', '--delay', '20s', '--id', 'stuck');
      const asked = await ask('http://reviews:9080/reviews/0', '-H', 'end-user=jason');
      expect(asked.status).toBe(504);
      expect(told(asked)).toMatch(/whoever waits for it waits \d+ ms more/);
      const below = asked.exchanges.find(
        ({ reporter }) => reporter.workload === 'reviews-v2' && reporter.direction === 'outbound',
      );
      expect(below?.failure).toBe('request_timeout');
      await cli.run('fault', 'clear');
    });

    it('says of a fault that met nobody that it did', async () => {
      await fault('--to', 'reviews', '--abort', '500', '--path', '/nowhere', '--id', 'idle');
      expect((await cli.run('fault', 'list')).stderr).toContain('idle has not met a request yet');
      expect((await cli.run('fault', 'remove', 'idle')).stderr).toContain('it never met a request');
    });
  });
}
