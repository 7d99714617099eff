import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { schemas } from '../../src/cli/schemas.js';
import { readResources } from '../../src/resources/read.js';

const root = resolve(import.meta.dirname, '../..');
const yaml = (file: string): unknown => parse(readFileSync(resolve(root, file), 'utf8'), { merge: true });

function accepts(name: string, value: unknown): boolean {
  const { allOf: _, ...schema } = schemas()[name] ?? {};
  return new Ajv2020({ allowUnionTypes: true }).compile(schema)(value) as boolean;
}

const own = (kind: string, spec: string): string =>
  `apiVersion: mesh-sandbox.dev/v1\nkind: ${kind}\nmetadata: { name: x }\nspec: ${spec}\n`;

describe('JSON Schemas', () => {
  it.each([
    ['compose', 'compose/bookinfo.yaml'],
    ['compose', 'examples/resilience/compose.yaml'],
    ['policy-test', 'examples/istio/tests.yaml'],
    ['policy-test', 'examples/istio/split-tests.yaml'],
  ])('%s takes %s', (name, file) => expect(accepts(name, yaml(file))).toBe(true));

  it.each([
    ['compose', { 'x-mesh': { gatway: {} } }],
    ['compose', { services: { a: { 'x-mesh': { sidecar: 'maybe' } } } }],
    [
      'compose',
      { 'x-mesh': { services: { a: { routes: [{ match: { headers: { a: { exact: 'x', prefix: 'y' } } } }] } } } },
    ],
    ['policy-test', { tests: [{ name: 't', expect: {} }] }],
    ['policy-test', { tests: [], polices: [] }],
  ])('%s refuses a mistake', (name, value) => expect(accepts(name, value)).toBe(false));

  // What an editor says and what apply says are the same.
  it.each([
    ['fault', own('Fault', '{ to: ratings, abort: 503, percent: 50, match: { path: /x, headers: { a: b } } }')],
    ['fault', own('Fault', '{ to: ratings, delay: { time: 2s, jitter: 100ms } }')],
    ['fault', own('Fault', '{ to: ratings, delay: 2s, bandwidth: 2000 }')],
    ['fault', own('Fault', '{ abort: 503 }')],
    ['fault', own('Fault', '{ to: ratings, abort: 199 }')],
    ['fault', own('Fault', '{ to: ratings, connection: lost }')],
    ['fault', own('Fault', '{ to: ratings, abort: 503, until: tomorrow }')],
    ['rate-limit', own('RateLimit', '{ to: ratings, requests: 10, per: 1s, bucket: client }')],
    ['rate-limit', own('RateLimit', '{ to: ratings, requests: 0 }')],
    [
      'rate-limit',
      own('RateLimit', '{ to: ratings, requests: 10, match: { method: [GET], query: { a: { regex: x } } } }'),
    ],
    ['rate-limit', own('RateLimit', '{ requests: 10 }')],
  ])('%s agrees with the reader: %s', (name, text) => {
    const { resources } = readResources([{ name: 'own.yaml', text }], 0);
    const value = parseAllDocuments(text)[0]?.toJS() as unknown;
    expect(accepts(name, value)).toBe(resources.length === 1);
  });
});
