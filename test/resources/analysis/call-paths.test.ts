import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readApp } from '../../../src/compose/read-app.js';
import type { AppSpec } from '../../../src/model/app.js';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { readResources } from '../../../src/resources/read.js';

const root = resolve(import.meta.dirname, '../../..');

function bookinfo(): AppSpec {
  const file = 'compose/bookinfo.yaml';
  const read = readApp({ file, text: readFileSync(resolve(root, file), 'utf8'), environment: {} });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.app;
}

function found(text: string): { code: string; message: string; line: number; object: string }[] {
  const { resources, findings } = readResources([{ name: 'p.yaml', text }], 0);
  return [...findings, ...analyze(resources, bookinfo())].map(({ code, message, source, object }) => ({
    code,
    message,
    line: source.line,
    object,
  }));
}

const routeFor = (host: string, more: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${host} }
spec:
  hosts: [${host}]
  http:
  - route: [ { destination: { host: ${host} } } ]
    ${more}
`;

describe('ways through the app', () => {
  it("finds Bookinfo's three seconds times two against ten by itself", () => {
    const all = found('');
    expect(all.map(({ code }) => code)).toEqual(['MS0130']);
    expect(all[0]?.message).toContain(
      'productpage-v1 waits 3000 ms for reviews in each of 2 tries, and reviews-v2 waits up to 10000 ms for ratings',
    );
    expect(all[0]?.message).toContain('after 6000 ms');
  });

  it('finds nothing any more where a rule bounds the longer wait', () => {
    expect(found(routeFor('ratings', 'timeout: 2s'))).toEqual([]);
  });

  it('counts a timeout times the tries of whoever waits', () => {
    const messages = found(routeFor('reviews', 'timeout: 1s')).map(({ message }) => message);
    expect(messages.filter((message) => message.includes('productpage-v1 waits 1000 ms'))).toHaveLength(2);
  });

  it('tells of a delay who gives up on it first', () => {
    const delay = 'fault: { delay: { fixedDelay: 7s, percentage: { value: 100 } } }';
    const told = found(routeFor('ratings', delay)).filter(({ code }) => code === 'MS0132');
    expect(told.map(({ line, object }) => [line, object])).toEqual(
      Array(3).fill([8, 'VirtualService default/ratings']),
    );
    expect(told.map(({ message }) => message).join('\n')).toContain('after 6000 ms productpage-v1 has no reviews');
  });

  it('multiplies tries from hop to hop, where they repeat answers', () => {
    const retries = (host: string, on: string) => routeFor(host, `retries: { attempts: 2, retryOn: '${on}' }`);
    const both = found(`${retries('reviews', '5xx')}---\n${retries('ratings', 'gateway-error')}`);
    expect(both.filter(({ code }) => code === 'MS0131').map(({ message }) => message)).toEqual([
      'one request at productpage may become 18 at ratings, where all of it fails: 2 (productpage-v1 itself) × 3 (its sidecar for reviews) × 3 (its sidecar for ratings)',
    ]);
    const connecting = found(`${retries('reviews', 'connect-failure')}---\n${retries('ratings', '5xx')}`);
    expect(connecting.filter(({ code }) => code === 'MS0131')).toEqual([]);
  });

  it('looks at routes of the Gateway API as well', () => {
    const route = (service: string, more: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${service} }
spec:
  parentRefs: [ { group: "", kind: Service, name: ${service} } ]
  rules:
  - backendRefs: [ { name: ${service}, port: 9080 } ]
    ${more}
`;
    expect(found(route('ratings', 'timeouts: { request: 2s }'))).toEqual([]);
    const both = found(
      `${route('reviews', 'retry: { codes: [ 500 ], attempts: 2 }')}---\n${route('ratings', 'retry: { codes: [ 503 ], attempts: 2 }')}`,
    );
    expect(both.filter(({ code }) => code === 'MS0131').map(({ message, object }) => [object, message])).toEqual([
      ['HTTPRoute default/ratings', expect.stringMatching(/^one request at productpage may become 18 at ratings/)],
    ]);
  });
});
