import { compile } from '../../../src/compiler/compile.js';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';
import { appOf, workload } from '../../support/apps.js';
import { meshConfigOf } from '../../support/mesh-config.js';
import { HOSTILE } from '../../yaml/hostile.js';

/** Times of a fresh process, ms, as JSON: 1,000 resources read and compiled, analysed, and a megabyte of hostile YAML refused. */
const SERVICES = 500;

function thousand(): string {
  return Array.from(
    { length: SERVICES },
    (_, i) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: s${i}, namespace: default }
spec:
  hosts: [ s${i} ]
  http:
  - match: [ { uri: { prefix: /a }, headers: { end-user: { exact: jason } } }, { uri: { regex: '/b/[0-9]+' } } ]
    route: [ { destination: { host: s${i}, subset: v1 }, weight: 30 }, { destination: { host: s${i}, subset: v2 }, weight: 70 } ]
    retries: { attempts: 3, perTryTimeout: 2s, retryOn: 5xx }
    timeout: 10s
  - route: [ { destination: { host: s${i}, subset: v1 } } ]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: s${i}, namespace: default }
spec:
  host: s${i}
  trafficPolicy: { connectionPool: { tcp: { maxConnections: 10 } }, outlierDetection: { consecutive5xxErrors: 3 } }
  subsets: [ { name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } } ]
`,
  ).join('---\n');
}

function timed<T>(act: () => T): { ms: number; value: T } {
  const started = performance.now();
  const value = act();
  return { ms: performance.now() - started, value };
}

const workloads = Array.from({ length: SERVICES }, (_, i) => [workload(`s${i}-v1`), workload(`s${i}-v2`)]).flat();
const app = appOf(workloads);
const ready = workloads.map(({ name }, i) => ({
  workload: name,
  address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  ports: { 9080: 9080 },
}));
const text = thousand();
const compiled = timed(() => {
  const { resources, findings } = readResources([{ name: 'thousand.yaml', text }], 0);
  if (resources.length !== 2 * SERVICES || findings.length > 0) throw new Error(JSON.stringify(findings[0]));
  const policies = policiesOf(resources);
  const mesh = meshConfigOf(app, { policies });
  return { resources, configs: compile(mesh, ready, 1).size };
});
const analysed = timed(() => analyze(compiled.value.resources, app));
const refused = Object.entries(HOSTILE).map(([name, hostile]) => ({
  name,
  ...timed(() => readResources([{ name: 'hostile.yaml', text: hostile }], 0).resources.length),
}));
const slowest = refused.reduce((a, b) => (b.ms > a.ms ? b : a));
process.stdout.write(
  `${JSON.stringify({ compile: compiled.ms, analyze: analysed.ms, hostile: slowest.ms, slowest: slowest.name, kinds: refused.length })}\n`,
);
