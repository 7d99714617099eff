import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cli } from '../support/cli.js';
import { until } from '../support/until.js';
import type { Engine, StatusOutput } from './scenario.js';

/** Half a migration: the page that calls everybody and the ratings that nobody may miss have no sidecar yet. */
const COMPOSE = `
name: bookinfo
services:
${service('productpage-v1', { RATINGS_URL: 'http://ratings:9080', REVIEWS_URL: 'http://reviews:9080', DETAILS_URL: 'http://details.default:9080' }, false)}
${service('details-v1', {}, true)}
${service('reviews-v2', { SERVICE_VERSION: 'v2', RATINGS_URL: 'http://ratings:9080' }, true)}
${service('ratings-v1', {}, false)}
x-mesh:
  gateway: { service: productpage }
  load: { rps: 0, paths: [/productpage] }
`;

function service(name: string, environment: Record<string, string>, sidecar: boolean): string {
  const [app = '', version] = name.split('-');
  const labels = JSON.stringify({ app, version });
  const command = JSON.stringify(['node', '/opt/mesh-sandbox/samples.cjs', app]);
  return `  ${name}:
    image: mesh-sandbox:local
    command: ${command}
    labels: ${labels}
    environment: ${JSON.stringify(environment)}
    expose: [9080]
    x-mesh: { sidecar: ${sidecar} }`;
}

/** What somebody meets whose apps are not all in the mesh, on one runtime, through the command line. */
export function outsideScenario(runtime: 'docker' | 'local', engine: Engine): void {
  describe(`apps outside the mesh on ${runtime}`, () => {
    const cli = new Cli();
    const folder = mkdtempSync(join(tmpdir(), 'mesh-outside-'));
    let url = '';
    const status = () => cli.json<StatusOutput>('status', '-o', 'json');
    const page = async (): Promise<string> => {
      const response = await fetch(`${url}/productpage`).catch(() => null);
      return response?.status === 200 ? await response.text() : '';
    };
    const curl = (from: string, to: string) =>
      cli.run('curl', '--from', from, `http://${to}`, '--json', '--timeout', '5s');

    beforeAll(async () => {
      writeFileSync(join(folder, 'compose.yaml'), COMPOSE);
      const { code, stderr } = await cli.run(
        ...['up', join(folder, 'compose.yaml'), '-d', '--runtime', runtime, '--port', '0'],
      );
      expect(stderr).toContain('4 ready, 2 of them outside the mesh');
      expect(code).toBe(0);
      url = (await status()).status.gatewayUrl;
    });
    afterAll(async () => {
      await cli.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('calls and is called across the border, and is shown as what it is', async () => {
      const html = await page();
      expect(html).toContain('The Comedy of Errors');
      expect(html).toContain('black stars: v2');
      const { status: state, workloads } = await status();
      expect(state.ready).toBe(true);
      expect(workloads.map(({ name, sidecar }) => `${name} ${sidecar}`).sort()).toEqual([
        'details-v1 connected',
        'gateway connected',
        'productpage-v1 none',
        'ratings-v1 none',
        'reviews-v2 connected',
      ]);
      expect((await cli.run('status')).stdout).toMatch(/ratings-v1 +none +ready +- /);
    });

    it('is asked in plaintext, asks in plaintext, and its proxy cannot be looked at', async () => {
      const inward = JSON.parse((await curl('details-v1', 'ratings:9080/ratings/0')).stdout);
      expect(inward.status).toBe(200);
      expect(JSON.stringify(inward.explanation)).toContain('in plaintext');
      const outward = JSON.parse((await curl('ratings-v1', 'details:9080/details/0')).stdout);
      expect(outward.status).toBe(200);
      expect((await cli.run('logs', 'ratings-v1', '--sidecar')).stderr).toContain('it has no sidecar');
      expect((await cli.run('logs', 'ratings-v1')).code).toBe(0);
    });

    it('finds closed doors where mutual TLS is demanded', async () => {
      await cli.run('features', 'enable', 'strict-mtls');
      const refused = JSON.parse((await curl('ratings-v1', 'details:9080/details/0')).stdout);
      expect(refused.error).not.toBe(null);
      expect((await curl('details-v1', 'ratings:9080/ratings/0')).code).toBe(0);
      await cli.run('features', 'disable', 'strict-mtls');
    });

    it('comes back after it was killed, and is found where it is now', async () => {
      await engine.kill(cli, 'ratings-v1/app');
      const view = async () => (await status()).workloads.find(({ name }) => name === 'ratings-v1');
      await until(async () => ((await view())?.restarts.app ?? 0) > 0, 'it was started again');
      await until(
        async () => (await view())?.appReady === true && (await page()).includes('black stars'),
        'it answers',
      );
    });
  });
}
