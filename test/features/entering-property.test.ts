import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chance, chances } from '../support/chance.js';
import { type PolicyBed, policyBed } from '../support/policy-bed.js';
import { until } from '../support/until.js';

/** What is told of requests that enter by the gateway, before and after, over random Gateways, routes and policies. */
const SERVICES = ['reviews', 'ratings'] as const;
const HOSTS = ['a.test', 'b.test', 'x.a.test'] as const;
const PATHS = ['/', '/a', '/a/b', '/ab', '/kept', '/kept/x', '//a', '/a/../kept'] as const;

let bed: PolicyBed;
beforeAll(async () => {
  const app = (name: string) => (_: unknown, response: { end: (text: string) => void }) => response.end(name);
  bed = await policyBed('istio', { reviews: app('reviews') as never, ratings: app('ratings') as never });
});
afterAll(() => bed.close());

function gatewayOf(chance: Chance): string {
  const hosts = chance.of(['"*"', 'a.test', '"*.test"', 'a.test, b.test']);
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: g }
spec: { selector: { istio: ingressgateway }, servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ ${hosts} ] } ] }
`;
}

function routesOf(chance: Chance, name: string): string {
  const hosts = chance.of(['"*"', 'a.test', 'b.test', '"*.a.test"', 'a.test, b.test']);
  const rules = Array.from({ length: 1 + chance.below(3) }, () => {
    const path = chance.of(PATHS.slice(0, 6));
    const match = chance.of([
      `{ uri: { prefix: ${path} } }`,
      `{ uri: { exact: ${path} } }`,
      '{ method: { exact: POST } }',
    ]);
    const act = chance.of([
      `route: [ { destination: { host: ${chance.of(SERVICES)}, port: { number: 9080 } } } ]`,
      'redirect: { uri: /elsewhere }',
      'directResponse: { status: 418 }',
    ]);
    return `{ ${chance.below(4) === 0 ? '' : `match: [ ${match} ], `}${act} }`;
  });
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec: { hosts: [ ${hosts} ], gateways: [ g ], http: [ ${rules.join(', ')} ] }
`;
}

function accessOf(chance: Chance, name: string): string {
  const atGateway = chance.below(2) === 0;
  const [namespace, labels] = atGateway
    ? ['istio-system', 'app: istio-ingressgateway']
    : ['default', `app: ${chance.of(SERVICES)}`];
  const operation = chance.of([
    `paths: [ ${chance.of(PATHS.slice(1, 6))}* ]`,
    'paths: [ /kept ]',
    `hosts: [ ${chance.of(HOSTS)} ]`,
    'notPaths: [ /a ]',
  ]);
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec: { selector: { matchLabels: { ${labels} } }, action: ${chance.of(['DENY', 'ALLOW'])}, rules: [ { to: [ { operation: { ${operation} } } ] } ] }
`;
}

/** The status that is told beforehand; null = an app is asked. */
async function toldBefore(
  to: string,
  path: string,
): Promise<{ status: number | null; text: string; blame: string | null }> {
  const told = await bed.mesh.client.call('explainRequest', { from: 'gateway', to, path });
  const status = /answered (\d+) by the mesh/.exec(told.summary)?.[1];
  const text = [told.summary, ...told.steps.map((step) => step.text), told.verdict].join('\n');
  return { status: status === undefined ? null : Number(status), text, blame: told.blame };
}

interface Entered {
  readonly marker: string;
  readonly about: string;
  readonly blame: string | null;
  /** Sidecars that have something to tell of it. */
  readonly tellers: number;
}

/** Waits until every sidecar has told what it saw; request ids by the markers. */
async function idsOf(entered: readonly Entered[]): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  await until(async () => {
    const all = await bed.mesh.client.call('exchanges', { limit: 1_000 });
    for (const { request, requestId } of all) ids.set(`?${request.path.split('?')[1]}`, requestId);
    return entered.every(
      ({ marker, tellers }) => all.filter(({ requestId }) => requestId === ids.get(marker)).length >= tellers,
    );
  }, 'the records');
  return ids;
}

it('is what becomes of it, and whose doing it was', { timeout: 240_000 }, async () => {
  let n = 0;
  const statuses = new Set<number>();
  for (const { seed, chance } of chances(25)) {
    await bed.reset();
    const policies = [
      ...(chance.below(5) === 0 ? [] : [gatewayOf(chance), routesOf(chance, 'first'), routesOf(chance, 'second')]),
      ...Array.from({ length: 1 + chance.below(2) }, (_, i) => accessOf(chance, `access-${i}`)),
    ];
    await bed.apply(...policies);
    const entered: Entered[] = [];
    for (let i = 0; i < 6; i++) {
      const [host, path] = [chance.of(HOSTS), chance.of(PATHS)];
      const marker = `?n=${n++}`;
      const before = await toldBefore(host, `${path}${marker}`);
      const { hostname, port } = new URL(bed.mesh.gatewayUrl);
      const { status } = await bed.ask(`http://${hostname}:${port}`, `${path}${marker}`, { headers: { host } });
      statuses.add(status);
      const about = `TEST_SEED=${seed} ${host}${path} → ${status}\n${before.text}\n${policies.join('---\n')}`;
      expect(before.status ?? 200, about).toBe(status);
      const reached = SERVICES.some((service) => before.text.includes(`${service} of ${service}`));
      entered.push({ marker, about, blame: before.blame, tellers: reached ? 2 : 1 });
    }
    const ids = await idsOf(entered);
    for (const { marker, about, blame } of entered) {
      const after = await bed.mesh.client.call('explain', { id: ids.get(marker) ?? '' });
      const told = [after.summary, ...after.steps.map(({ text }) => text), after.verdict].join('\n');
      expect(after.blame, `${about}\n--- after\n${told}`).toBe(blame);
      // Nobody is left without a name.
      expect(told, about).not.toMatch(/ {2}|\(\)| \* /);
    }
  }
  expect([...statuses]).toEqual(expect.arrayContaining([200, 403, 404]));
});
