import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MeshClient } from '../../src/client/mesh-client.js';
import { serveApi } from '../../src/control-plane/api/server.js';
import { ControlPlane } from '../../src/control-plane/control-plane.js';
import type { AppSpec } from '../../src/model/app.js';
import { systemClock } from '../../src/platform/clock.js';
import { freePort } from '../../src/runtime/ports.js';

export const TOKEN = 'test-token';

export interface TestPlane {
  readonly plane: ControlPlane;
  readonly client: MeshClient;
  readonly apiPort: number;
  /** The port under which the API is published elsewhere; nothing listens there. */
  readonly publishedPort: number;
  readonly controlPort: number;
  /** What it logged as a warning. */
  readonly warnings: readonly string[];
  close(): void;
}

/** A control plane with its two listeners, and nobody who has joined. */
export async function startPlane(app: AppSpec): Promise<TestPlane> {
  const stateDir = mkdtempSync(join(tmpdir(), 'mesh-plane-'));
  const [controlPort, apiPort, publishedPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const warnings: string[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (facts: object) => warnings.push(JSON.stringify(facts)),
    error: console.error,
  };
  const plane = await ControlPlane.start(
    {
      program: 'control-plane',
      lifeline: false,
      sandbox: { id: 'test', name: 'test' },
      runtime: 'local',
      app,
      seed: 1,
      features: { mtls: 'permissive', retries: true },
      loadRps: 0,
      apiToken: TOKEN,
      control: { host: '127.0.0.1', port: controlPort },
      api: { host: '127.0.0.1', port: apiPort },
      publishedApiPort: publishedPort,
      gatewayUrl: 'http://127.0.0.1:1',
      stateDir,
      flavor: 'istio',
      leafMs: null,
    },
    systemClock,
    log,
  );
  const api = await serveApi(plane, systemClock);
  return {
    plane,
    client: new MeshClient({ url: `http://127.0.0.1:${apiPort}`, token: TOKEN }),
    apiPort,
    publishedPort,
    controlPort,
    warnings,
    close() {
      plane.close();
      api.close();
      api.closeAllConnections();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
