import type { AppSpec } from './app.js';
import type { Fault } from './fault.js';
import type { Flavor } from './flavor.js';
import type { Policies } from './policies.js';
import type { MtlsMode } from './sidecar-config.js';
import type { Naming } from './spiffe-id.js';

/** The mesh as policies describe it, before anything is known about endpoints. Every dialect compiles into this. */
export interface MeshConfig {
  readonly app: AppSpec;
  readonly seed: number;
  readonly mtls: MtlsMode;
  /** Retry policies are obeyed; false = nobody retries. */
  readonly retries: boolean;
  readonly faults: readonly Fault[];
  readonly flavor: Flavor;
  /** Domain in which the identities of the mesh hold. */
  readonly trustDomain: string;
  readonly policies: Policies;
}

/** How the workloads of a mesh are named. */
export function namingOf({ flavor, trustDomain }: Pick<MeshConfig, 'flavor' | 'trustDomain'>): Naming {
  return { form: flavor.name, trustDomain };
}

/** An endpoint that is ready to be called, as the registry knows it. */
export interface ReadyEndpoint {
  readonly workload: string;
  readonly address: string;
  /** App port as declared → port to dial at `address`. */
  readonly ports: Readonly<Record<number, number>>;
}
