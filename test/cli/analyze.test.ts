import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Cli } from '../support/cli.js';

/** Without a sandbox: the files alone, as in a pipeline. */
const folder = mkdtempSync(join(tmpdir(), 'analyze-'));
const cli = new Cli();
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cli.close();
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** A rule that is never met (a warning), and a destination without its subset (an error). */
const POLICIES = `apiVersion: v1
kind: Service
metadata: { name: reviews }
spec: { selector: { app: reviews }, ports: [ { name: http, port: 9080 } ] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [ reviews ]
  http:
  - route: [ { destination: { host: reviews, subset: v9 } } ]
  - match: [ { uri: { prefix: /a } } ]
    route: [ { destination: { host: reviews } } ]
`;
const bad = file('bad policies.yaml', POLICIES);
const good = file('good.yaml', POLICIES.replace(', subset: v9', '').split('  - match')[0] as string);

describe('analyze', () => {
  it.each([
    ['behind the command', [bad]],
    ['by -f', ['-f', bad]],
  ])('takes files %s: each finding with its place, what to do, and 3', async (_, args) => {
    const { code, stdout, stderr } = await cli.run('analyze', ...args);
    expect(code).toBe(3);
    expect(stdout).toMatch(/bad policies.yaml:12:\d+ error IST0101/);
    expect(stdout).toMatch(/bad policies.yaml:13:\d+ warning IST0130/);
    expect(stderr).toMatch(/1 error, \d warnings?/);
  });

  it('takes standard input, and folders with all that is in them', async () => {
    const piped = await cli.runWith(POLICIES, 'analyze', '-');
    expect([piped.code, piped.stdout]).toEqual([3, expect.stringMatching(/<stdin>:12:\d+ error IST0101/)]);
    mkdirSync(join(folder, 'all/deeper'), { recursive: true });
    file('all/deeper/bad.yaml', POLICIES);
    file('all/notes.txt', 'no: policy');
    const { code, stdout } = await cli.run('analyze', join(folder, 'all'));
    expect([code, stdout]).toEqual([3, expect.stringMatching(/all\/deeper\/bad.yaml:12:\d+ error IST0101/)]);
  });

  it('finds nothing where nothing is wrong, and ends with 0', async () => {
    const { code, stderr } = await cli.run('analyze', good);
    expect([code, stderr]).toEqual([0, expect.stringContaining('nothing was found')]);
  });

  it.each([
    ['errors that are not told', ['--suppress', 'IST0101'], 0],
    ['warnings, where they count', ['--suppress', 'IST0101', '--fail-on', 'warning'], 3],
  ])('%s', async (_, args, wanted) => {
    expect((await cli.run('analyze', bad, ...args)).code).toBe(wanted);
  });

  it('writes JSON, and SARIF whose places are URIs', async () => {
    const found = await cli.run('analyze', bad, '-o', 'json');
    expect([found.code, JSON.parse(found.stdout).map(({ code }: { code: string }) => code)]).toEqual([
      3,
      expect.arrayContaining(['IST0101', 'IST0130']),
    ]);
    const { runs, version } = JSON.parse((await cli.run('analyze', bad, '-o', 'sarif')).stdout);
    expect(version).toBe('2.1.0');
    const result = runs[0].results.find(({ ruleId }: { ruleId: string }) => ruleId === 'IST0101');
    expect(result.level).toBe('error');
    expect(result.locations[0].physicalLocation).toMatchObject({
      artifactLocation: { uri: expect.stringMatching(/bad%20policies.yaml$/) },
      region: { startLine: 12 },
    });
    expect(runs[0].tool.driver.rules).toContainEqual({ id: 'IST0101' });
  });

  it('judges by an app and a mesh that are named', async () => {
    const fault = file(
      'fault.yaml',
      'apiVersion: mesh-sandbox.dev/v1\nkind: Fault\nmetadata: { name: f }\nspec: { to: rating, abort: 503 }\n',
    );
    const { code, stdout } = await cli.run('analyze', fault, '--app', 'bookinfo');
    expect([code, stdout]).toEqual([3, expect.stringMatching(/MS0011.*\n?.*did you mean ratings\?/s)]);
    const unknown = await cli.run('analyze', fault, '--flavor', 'itsio');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('istio, linkerd')]);
  });

  it('says what to type where no files are named and nothing runs', async () => {
    const { code, stderr } = await cli.run('analyze');
    expect([code, stderr]).toEqual([1, expect.stringContaining('mesh-sandbox analyze policies.yaml')]);
  });
});
