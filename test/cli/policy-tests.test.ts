import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Cli } from '../support/cli.js';

const examples = resolve(import.meta.dirname, '../../examples/istio');
const folder = mkdtempSync(join(tmpdir(), 'policy-tests-'));
const cli = new Cli();
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cli.close();
});

function suite(tests: string, policies = `${examples}/destination-rules.yaml, ${examples}/reviews-90-10.yaml`): string {
  const file = join(folder, 'suite.yaml');
  writeFileSync(file, `policies: [${policies}]\ntests:\n${tests}`);
  return file;
}
const to = 'request: { from: productpage, to: reviews }';

describe('test', () => {
  it('passes the examples, and tells which rules decided', async () => {
    const files = ['tests.yaml', 'authorization-tests.yaml'].map((name) => join(examples, name));
    const { code, stdout, stderr } = await cli.run('test', ...files, '--coverage');
    expect(stderr).toContain('3 passed, 0 failed');
    expect(stderr).toContain('4 passed, 0 failed');
    expect(stdout).toMatch(/never {2}rule 2 of VirtualService default\/ratings \(.*ratings-abort\.yaml:23\)/);
    expect(stdout).toMatch(/1 × {2}rule 1 of AuthorizationPolicy default\/ratings-viewer/);
    expect(code).toBe(0);
  });

  it.each([
    [
      'a share',
      '{ to: { reviews v1: 80, reviews v2: 20 } }',
      'to: expected 80 % reviews v1, 20 % reviews v2, got 90 % reviews v1, 10 % reviews v2',
    ],
    ['a rule', '{ rule: rule 2 }', 'rule: expected rule 2, got rule 1 of VirtualService default/reviews'],
    ['retries', '{ retries: 5 }', 'retries: expected 5, got 2'],
    ['a timeout', '{ timeout: 3s }', 'timeout, ms: expected 3000, got none'],
    ['a denial', '{ denied: true }', 'denied: expected true, got false'],
    ['encryption', '{ encryption: plaintext }', 'encryption: expected plaintext, got mtls'],
    ['a status', '{ status: 503 }', 'status: expected 503, got the app’s'],
  ])('fails where %s comes otherwise, and ends with 3', async (_, expected, message) => {
    const { code, stdout } = await cli.run('test', suite(`- { name: t, ${to}, expect: ${expected} }\n`));
    expect(stdout).toContain(message);
    expect(stdout).toMatch(/suite\.yaml:3:3/);
    expect(code).toBe(3);
  });

  it('asks the gateway about what enters', async () => {
    const ingress = join(folder, 'ingress.yaml');
    writeFileSync(
      ingress,
      `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ingress, namespace: istio-system }
spec: { selector: { matchLabels: { istio: ingressgateway } }, action: DENY, rules: [ { to: [ { operation: { paths: [ /login ] } } ] } ] }
`,
    );
    const enters = (path: string) => `request: { from: gateway, to: shop.example, path: ${path} }`;
    const tests = `- { name: kept out, ${enters('/login')}, expect: { denied: true, status: 403, answeredBy: mesh } }
- { name: enters, ${enters('/productpage')}, expect: { to: { productpage: 100 } } }
- { name: nowhere, ${enters('/nowhere')}, expect: { denied: false, status: 404 } }
`;
    const { code, stdout, stderr } = await cli.run('test', suite(tests, `${ingress}, ${examples}/gateway.yaml`));
    expect(stdout).not.toContain('expected');
    expect(stderr).toContain('3 passed, 0 failed');
    expect(code).toBe(0);
  });

  it('writes JUnit, each failure with its line, whatever stands in names', async () => {
    const junit = join(folder, 'junit.xml');
    const file = suite(
      `- { name: '"<a> & b"', ${to}, expect: { retries: 9 } }\n- { name: well, ${to}, expect: { retries: 2 } }\n`,
    );
    const { code } = await cli.run('test', file, '--junit', junit);
    expect(code).toBe(3);
    const xml = readFileSync(junit, 'utf8');
    expect(xml).toContain('<testsuites tests="2" failures="1"');
    expect(xml).toContain('<testcase name="&quot;&lt;a&gt; &amp; b&quot;"');
    expect(xml).toContain('line="3"');
    expect(xml).toContain('<failure message="retries: expected 9, got 2">');
  });

  it.each([
    ['a key that there is not', `- { name: t, ${to}, expect: { satus: 200 } }`, 'did you mean status?'],
    ['no request', '- { name: t, expect: { status: 200 } }', 'has no request'],
    [
      'a caller that there is not',
      '- { name: t, request: { from: productpag, to: reviews }, expect: { status: 200 } }',
      'did you mean productpage',
    ],
  ])('tells of %s', async (_, test, message) => {
    const { code, stdout, stderr } = await cli.run('test', suite(`${test}\n`));
    expect(stdout + stderr).toContain(message);
    expect(code).not.toBe(0);
  });

  it('refuses policies that would not be applied, with their lines', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(
      wrong,
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: x }\nspec: { hosts: [a], http: [ {} ] }\n',
    );
    const { code, stderr } = await cli.run('test', suite(`- { name: t, ${to}, expect: {} }\n`, wrong));
    expect(stderr).toMatch(/wrong\.yaml:4:\d+ error IST0106/);
    expect(code).toBe(1);
  });
});
