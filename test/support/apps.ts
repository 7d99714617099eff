import { type AppSpec, NO_SETTINGS, type ServiceSettings, serviceOf, type WorkloadSpec } from '../../src/model/app.js';
import { NO_PROPAGATION, type Propagation } from '../../src/model/propagation.js';

/** A workload for tests: one HTTP port 9080 unless said otherwise. */
export function workload(name: string, overrides: Partial<WorkloadSpec> = {}): WorkloadSpec {
  const [app = name, version = 'v1'] = name.split(/-(?=v\d)/);
  return {
    name,
    app,
    version,
    namespace: 'default',
    serviceAccount: app,
    meshed: true,
    locality: '',
    labels: { app, version },
    ports: [{ port: 9080, protocol: 'http' }],
    image: 'mesh-sandbox:local',
    command: [],
    entrypoint: null,
    environment: {},
    localCommand: null,
    user: null,
    workingDir: null,
    source: null,
    ...overrides,
  };
}

/** An app of the given workloads; the first one's service is behind the gateway. */
export function appOf(
  workloads: readonly WorkloadSpec[],
  settings: Record<string, Partial<ServiceSettings>> = {},
  propagation: Propagation = NO_PROPAGATION,
): AppSpec {
  const names = [...new Set(workloads.map(({ app }) => app))];
  return {
    name: 'test',
    file: 'test.yaml',
    workloads,
    services: names.map((name, index) =>
      serviceOf(name, 'default', workloads.find(({ app }) => app === name)?.ports ?? [], index),
    ),
    gateway: { service: names[0] ?? '', port: workloads[0]?.ports[0]?.port ?? 9080 },
    load: { paths: ['/'], rps: 0 },
    settings: Object.fromEntries(Object.entries(settings).map(([name, given]) => [name, { ...NO_SETTINGS, ...given }])),
    limits: {},
    propagation,
    warnings: [],
  };
}
