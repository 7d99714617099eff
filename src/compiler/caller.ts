import type { AppSpec, WorkloadSpec } from '../model/app.js';
import { GATEWAY_LABELS, NAMESPACE } from '../model/names.js';
import { ROOT_NAMESPACE } from '../model/policies.js';
import type { Named } from '../model/spiffe-id.js';

/** Name of the gateway among the workloads. */
export const GATEWAY = 'gateway';

/** Whose sidecar a configuration is for, as policies can name it. */
export interface Caller {
  readonly name: string;
  readonly app: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
}

export function callerOf(workload: WorkloadSpec): Caller {
  const { name, app, namespace, labels, locality } = workload;
  return { name, app, namespace, labels, locality };
}

/** What the gateway's identity is made of. */
export const GATEWAY_NAMED: Named = { app: GATEWAY, serviceAccount: GATEWAY, namespace: NAMESPACE };

export const GATEWAY_CALLER: Caller = {
  name: GATEWAY,
  app: GATEWAY,
  namespace: NAMESPACE,
  labels: GATEWAY_LABELS,
  locality: '',
};

/**
 * Where in a cluster the gateway runs: policies of that namespace are its own, and what is exported elsewhere it does not
 * see. As a caller of services it is one of the app's namespace, to which its identity belongs.
 */
export const GATEWAY_HOME = ROOT_NAMESPACE;

/** Every caller of an app, the gateway last. */
export function callersOf(app: AppSpec): Caller[] {
  return [...app.workloads.map(callerOf), GATEWAY_CALLER];
}
