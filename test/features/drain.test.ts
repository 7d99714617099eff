import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;
const held: (() => void)[] = [];
const seen: string[] = [];

beforeAll(async () => {
  const answer = (name: string) => (request: IncomingMessage, response: ServerResponse) => {
    seen.push(name);
    if (request.url === '/hold') held.push(() => response.end(name));
    else request.resume().on('end', () => response.end(name));
  };
  mesh = await startMesh(appOf([workload('web'), workload('shop-v1'), workload('shop-v2')]), {
    web: (_, response) => response.end(),
    'shop-v1': answer('shop-v1'),
    'shop-v2': answer('shop-v2'),
  });
});
afterAll(() => mesh.close());

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
function ask(url: string, method = 'GET'): Promise<{ status: number; body: string; connection: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, connection: response.headers.connection ?? '' }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

describe('a sidecar that is told to go', () => {
  it('B-164: finishes what is under way, loses nothing of what still comes, and is gone', async () => {
    const url = await mesh.outboundUrl('web', 'shop');
    // One request hangs at the one that will go.
    const slow: Promise<{ status: number; body: string }>[] = [];
    await until(async () => {
      slow.push(ask(`${url}/hold`));
      await until(async () => held.length === slow.length, 'it hangs');
      return seen.includes('shop-v1');
    }, 'one hangs at shop-v1');
    let stop = false;
    const results: number[] = [];
    const traffic = Array.from({ length: 4 }, async () => {
      // POST: nothing may save it by sending it twice.
      while (!stop) results.push((await ask(`${url}/`, 'POST')).status);
    });
    await until(async () => results.length > 50, 'traffic flows');
    const drained = mesh.sidecars.get('shop-v1')?.drain(5_000);
    await until(async () => {
      const before = seen.length;
      await until(async () => seen.length > before + 50, 'traffic goes on');
      return !seen.slice(before).includes('shop-v1');
    }, 'nobody is sent to shop-v1 any more');
    for (const release of held.splice(0)) release();
    expect((await Promise.all(slow)).every(({ status }) => status === 200)).toBe(true);
    await drained;
    const after = results.length;
    await until(async () => results.length > after + 50, 'traffic goes on without it');
    stop = true;
    await Promise.all(traffic);
    expect(results.filter((status) => status !== 200)).toEqual([]);
  });

  it('asks callers to close their connections', async () => {
    const url = await mesh.outboundUrl('web', 'shop');
    expect((await ask(`${url}/`)).connection).not.toBe('close');
    const held = ask(`${url}/hold`);
    await until(async () => seen.length > 0, 'a request');
    const drained = mesh.sidecars.get('web')?.drain(2_000);
    expect((await ask(`${url}/`)).connection).toBe('close');
    agent.destroy();
    await held.catch(() => {});
    await drained;
  });
});
