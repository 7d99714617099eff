import type { AppSpec } from '../../src/model/app.js';
import { ISTIO } from '../../src/model/flavor.js';
import type { MeshConfig } from '../../src/model/mesh-config.js';
import { TRUST_DOMAIN } from '../../src/model/names.js';
import { NO_POLICIES } from '../../src/model/policies.js';

/** What a mesh of Istio's flavour that obeys no policies compiles, but for what is said otherwise. */
export function meshConfigOf(app: AppSpec, otherwise: Partial<MeshConfig> = {}): MeshConfig {
  return {
    app,
    seed: 1,
    mtls: 'permissive',
    retries: true,
    faults: [],
    flavor: ISTIO,
    trustDomain: TRUST_DOMAIN,
    policies: NO_POLICIES,
    ...otherwise,
  };
}
