import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/model/explanation.js';
import { appOf, workload } from '../support/apps.js';
import { type Chance, chances } from '../support/chance.js';
import { startMesh, type TestMesh } from '../support/mesh.js';

/**
 * The explanation names what really happened: for random policies and random requests, what the apps received and what the
 * caller got, by a ledger and a matcher of the test's own.
 */
const PODS = ['reviews-v1', 'reviews-v2', 'ratings-v1'] as const;

let mesh: TestMesh;
/** Which pods received a request, by its id. */
const ledger = new Map<string, string[]>();

beforeAll(async () => {
  const app =
    (pod: string) => (request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => {
      const id = String(request.headers['x-request-id']);
      ledger.set(id, [...(ledger.get(id) ?? []), pod]);
      const wanted = /status=(\d+)/.exec(request.url ?? '')?.[1];
      if (request.url?.includes('slow')) setTimeout(() => response.end(pod), 400);
      else response.writeHead(wanted === undefined ? 200 : Number(wanted)).end(pod);
    };
  mesh = await startMesh(appOf([workload('web-v1'), ...PODS.map((name) => workload(name))]), {
    'web-v1': (_, response) => void response.end(),
    ...Object.fromEntries(PODS.map((pod) => [pod, app(pod)])),
  });
});
afterAll(() => mesh.close());

type Match = {
  readonly path: string;
  readonly exact: boolean;
  readonly user: string | null;
  readonly method: string | null;
};
type Act =
  | { readonly kind: 'to'; readonly host: string; readonly subset: string }
  | { readonly kind: 'redirect' }
  | { readonly kind: 'direct'; readonly status: number }
  | { readonly kind: 'abort'; readonly status: number };
interface Rule {
  readonly match: Match | null;
  readonly act: Act;
  readonly timeoutMs: number | null;
  readonly retries: number | null;
}

function ruleOf(chance: Chance): Rule {
  const match = {
    path: chance.of(['/a', '/a/b', '/b', '/']),
    exact: chance.below(3) === 0,
    user: chance.below(2) === 0 ? chance.of(['jason', 'anna']) : null,
    method: chance.below(3) === 0 ? chance.of(['GET', 'POST']) : null,
  };
  const act: Act = chance.of<Act>([
    { kind: 'to', host: 'reviews', subset: 'v1' },
    { kind: 'to', host: 'reviews', subset: 'v2' },
    { kind: 'to', host: 'ratings', subset: '' },
    { kind: 'to', host: 'reviews', subset: 'v9' },
    { kind: 'to', host: 'nobody', subset: '' },
    { kind: 'redirect' },
    { kind: 'direct', status: 418 },
    { kind: 'abort', status: 503 },
  ]);
  const timeoutMs = chance.below(3) === 0 ? 100 : null;
  const retries = chance.below(2) === 0 ? chance.of([0, 1, 2]) : null;
  return { match: chance.below(6) === 0 ? null : match, act, timeoutMs, retries };
}

function yamlOf(rules: readonly Rule[], deny: string | null): string {
  const lines = rules.map(({ match, act, timeoutMs, retries }) => {
    const conditions =
      match === null
        ? ''
        : `match: [ { uri: { ${match.exact ? 'exact' : 'prefix'}: ${match.path} }${match.user === null ? '' : `, headers: { end-user: { exact: ${match.user} } }`}${match.method === null ? '' : `, method: { exact: ${match.method} }`} } ], `;
    const to = (host: string, subset: string): string =>
      `route: [ { destination: { host: ${host}${subset === '' ? '' : `, subset: ${subset}`} } } ]`;
    const what =
      act.kind === 'to'
        ? to(act.host, act.subset)
        : act.kind === 'redirect'
          ? 'redirect: { uri: /elsewhere }'
          : act.kind === 'direct'
            ? `directResponse: { status: ${act.status} }`
            : `fault: { abort: { httpStatus: ${act.status}, percentage: { value: 100 } } }, ${to('reviews', 'v1')}`;
    const forwards = act.kind === 'to';
    const more = `${forwards && timeoutMs !== null ? `, timeout: ${timeoutMs}ms` : ''}${forwards && retries !== null ? `, retries: { attempts: ${retries}${retries > 0 ? ", retryOn: '5xx'" : ''} }` : ''}`;
    return `  - { ${conditions}${what}${more} }`;
  });
  const denied =
    deny === null
      ? ''
      : `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: keep-out }\nspec:\n  selector: { matchLabels: { app: reviews, version: v1 } }\n  action: DENY\n  rules: [ { to: [ { operation: { paths: ['${deny}*'] } } ] } ]\n`;
  return `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: random }\nspec:\n  hosts: [ reviews ]\n  http:\n${lines.join('\n')}\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: reviews }\nspec: { host: reviews, subsets: [ { name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } } ] }\n${denied}`;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly user: string;
}

function askedOf(chance: Chance): Asked {
  const query = chance.of(['', '', '?status=500', '?status=503', '?slow']);
  return {
    method: chance.of(['GET', 'GET', 'POST']),
    path: chance.of(['/a', '/a/b', '/a/bc', '/b', '/c']) + query,
    user: chance.of(['', 'jason', 'anna']),
  };
}

/** The test's own matcher: the first rule that fits. */
function metRule(rules: readonly Rule[], { method, path, user }: Asked): number {
  const bare = path.split('?')[0] ?? '';
  return rules.findIndex(
    ({ match }) =>
      match === null ||
      ((match.exact ? bare === match.path : bare.startsWith(match.path)) &&
        (match.user === null || match.user === user) &&
        (match.method === null || match.method === method)),
  );
}

async function send(id: string, { method, path, user }: Asked): Promise<number> {
  const url = `${await mesh.outboundUrl('web-v1', 'reviews')}${path}`;
  const response = await fetch(url, { method, headers: { 'x-request-id': id, 'end-user': user }, redirect: 'manual' });
  await response.arrayBuffer();
  return response.status;
}

/** Waits until every sidecar on the way has told what it saw. */
async function explained(id: string, callees: number): Promise<Explanation> {
  for (;;) {
    const told = await mesh.client.call('explain', { id }).catch(() => null);
    const heard = told?.steps.filter(({ text }) => text.includes('was asked by')).length ?? 0;
    const whole = told?.steps.some(({ text }) => text.startsWith('web-v1 asked')) ?? false;
    if (told !== null && whole && heard >= callees) return told;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

function blameOf(act: Act | null, status: number, denied: boolean, asked: Asked): string | null {
  if (act === null) return 'configuration';
  if (act.kind === 'abort') return 'injected';
  if (act.kind !== 'to' || status < 400) return null;
  if (act.subset === 'v9' || act.host === 'nobody') return 'configuration';
  if (denied) return 'callee-policy';
  if (status === 504) return 'caller-policy';
  return asked.path.includes('status=') ? 'app' : 'unknown';
}

describe('explanations', () => {
  it('name the rule, the pods and the culprit that there really were, over random policies and requests', async () => {
    for (const { seed, chance } of chances(25)) {
      const rules = Array.from({ length: 1 + chance.below(4) }, () => ruleOf(chance));
      const deny = chance.below(3) === 0 ? chance.of(['/a', '/b']) : null;
      const { applied, findings } = await mesh.client.call('applyResources', {
        files: [{ name: 'random.yaml', text: yamlOf(rules, deny) }],
      });
      if (deny === null)
        await mesh.client.call('deleteResources', { kind: 'AuthorizationPolicy', name: 'keep-out' }).catch(() => {});
      expect(applied, JSON.stringify(findings)).toBe(true);
      const asked = Array.from({ length: 6 }, (_, i) => ({ id: `${seed}/${i}`, ...askedOf(chance) }));
      const statuses = await Promise.all(asked.map((one) => send(one.id, one)));
      for (const [i, one] of asked.entries()) {
        const status = statuses[i] ?? 0;
        const about = `TEST_SEED=${seed} request ${i}: ${JSON.stringify(one)} → ${status} of ${JSON.stringify(rules)}, deny ${deny}`;
        const met = metRule(rules, one);
        const act = met < 0 ? null : (rules[met] as Rule).act;
        const denied = deny !== null && act?.kind === 'to' && act.subset === 'v1' && one.path.startsWith(deny);
        const told = await explained(one.id, denied ? 1 : (ledger.get(one.id)?.length ?? 0));
        const text = told.steps.map((step) => step.text).join('\n');
        // The rule that decided, and none behind it.
        if (met >= 0) expect(text, about).toContain(`rule ${met + 1} of VirtualService default/random`);
        for (let n = 0; n < rules.length; n++) {
          const skipped = new RegExp(`rule ${n + 1} of VirtualService default/random \\(.*\\) was not met`).test(text);
          if (rules.length > 1) expect(skipped, `${about}: rule ${n + 1}`).toBe(met < 0 ? true : n < met);
        }
        // The pods that received it are those that are told to have been asked.
        const heard = [...text.matchAll(/^(\S+) was asked by/gm)].map(([, pod]) => pod ?? '').sort();
        const received = [...(ledger.get(one.id) ?? [])].sort();
        if (denied) expect(received, about).toEqual([]);
        else expect(heard, about).toEqual(received);
        expect(told.summary, about).toContain(`answered ${status}`);
        const blame = blameOf(act, status, denied, one);
        // Time that ran out between tries of a failing app is the app's doing as much as the policy's.
        const both = status === 504 && one.path.includes('status=');
        expect(both ? ['app', 'caller-policy'] : [blame], `${about}\n${text}\n${told.verdict}`).toContain(told.blame);
        // What is told of a request that is only described is what happened to this one.
        const described = await mesh.client.call('explainRequest', {
          from: 'web-v1',
          to: 'reviews',
          method: one.method,
          path: one.path,
          headers: [['end-user', one.user]],
        });
        const foretold = described.steps.map((step) => step.text).join('\n');
        if (met >= 0)
          expect(foretold, about).toContain(`rule ${met + 1} of VirtualService default/random (random.yaml:`);
        for (const pod of new Set(received)) expect(foretold, about).toContain(pod);
        if (denied) expect(described.blame, about).toBe('callee-policy');
      }
    }
  });
});
