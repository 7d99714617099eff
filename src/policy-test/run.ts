import { compile } from '../compiler/compile.js';
import type { AppSpec } from '../model/app.js';
import type { Flavor } from '../model/flavor.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { nearest } from '../model/nearest.js';
import type { Policies } from '../model/policies.js';
import type { MtlsMode, SidecarConfig } from '../model/sidecar-config.js';
import type { SourceRef } from '../model/source.js';
import { trustDomainOf } from '../model/spiffe-id.js';
import { simulate } from '../simulate/simulate.js';
import { judge } from './judge.js';
import { type Outcome, simulatedOutcome } from './outcome.js';
import { type PolicyTest, placeOf } from './suite.js';

export interface TestResult {
  readonly name: string;
  readonly source: SourceRef;
  /** Empty = passed. */
  readonly failures: readonly string[];
  /** Rules that decided: of the caller's routes, and of the callees' authorization. */
  readonly met: readonly string[];
  readonly ms: number;
}

export interface Given {
  readonly app: AppSpec;
  readonly policies: Policies;
  readonly flavor: Flavor;
  readonly mtls: MtlsMode;
}

/** Runs tests without traffic: every workload counts as ready, and each request is followed through what sidecars would obey. */
export function runOffline(tests: readonly PolicyTest[], given: Given): TestResult[] {
  const configs = configsOf(given);
  return tests.map((test) => {
    const outcome = outcomeOf(test, configs);
    return typeof outcome === 'string' ? resultOf(test, null, [outcome], 0) : resultOf(test, outcome, [], 0);
  });
}

/** A test and what came of it, judged. */
export function resultOf(
  test: PolicyTest,
  outcome: Outcome | null,
  failures: readonly string[],
  ms: number,
): TestResult {
  const judged = outcome === null ? [] : judge(test.expect, outcome);
  const { name } = test;
  const met = outcome === null ? [] : [outcome.rule, ...outcome.access];
  return { name, source: placeOf(test), failures: [...failures, ...judged], met, ms };
}

/** Without a running mesh there is no cluster that has an id. */
const NO_CLUSTER = '00000000-0000-0000-0000-000000000000';

function configsOf({ app, policies, flavor, mtls }: Given): ReadonlyMap<string, SidecarConfig> {
  const trustDomain = trustDomainOf(flavor.name, NO_CLUSTER);
  const mesh: MeshConfig = {
    app,
    policies,
    flavor,
    trustDomain,
    mtls,
    seed: 1,
    retries: true,
    faults: policies.faults,
  };
  const ready = app.workloads.map(({ name, ports }, i) => ({
    workload: name,
    address: `10.0.${Math.floor(i / 250)}.${(i % 250) + 1}`,
    ports: Object.fromEntries(ports.map(({ port }) => [port, port])),
  }));
  return compile(mesh, ready, 1);
}

/** A text = the request names somebody whom there is not. */
function outcomeOf({ request }: PolicyTest, configs: ReadonlyMap<string, SidecarConfig>): Outcome | string {
  const { from, to, method = 'GET', path = '/', headers = {} } = request;
  const found = [...configs].find(([name, { workload }]) => name === from || workload.app === from);
  if (found === undefined) {
    const close = nearest(
      from,
      [...configs].flatMap(([name, { workload }]) => [workload.app, name]),
    );
    return `no workload ${from} has a sidecar${close === null ? '' : `; did you mean ${close}?`}`;
  }
  const [caller, config] = found;
  const [host = '', port] = to.split(/:(?=\d+$)/);
  const described = {
    from: caller,
    host,
    port: port === undefined ? null : Number(port),
    method,
    path,
    headers: Object.entries(headers),
  };
  return simulatedOutcome(simulate(described, config, (workload) => configs.get(workload)?.inbound ?? null));
}
