import type { AppSpec, CallSpec, ServiceSpec, WorkloadSpec } from '../../model/app.js';
import { selects } from '../../model/app.js';
import type { Finding, FindingLevel } from '../../model/finding.js';
import type { FlavorName } from '../../model/flavor.js';
import { type ObjectRef, objectName, type RouteSet } from '../../model/policies.js';
import type { SourceRef } from '../../model/source.js';
import { gatewayRouteSetsOf } from '../gateway-api/routes.js';
import { externalServicesOf } from '../istio/service-entry.js';
import { type KnownWorkload, workloadsIn } from '../kubernetes/deployment.js';
import { servicesOf } from '../kubernetes/service.js';
import type { Resource } from '../resource.js';

/** All that an analyzer may look at. */
export interface World {
  readonly resources: readonly Resource[];
  /** Which mesh would obey them. */
  readonly flavor: FlavorName;
  readonly services: readonly ServiceSpec[];
  readonly workloads: readonly KnownWorkload[];
  /** Who calls whom, and how patiently, as the app's file says. */
  readonly calls: readonly KnownCall[];
  /** What is not here does not exist; false = only files are known, and nothing of services stands in them. */
  readonly complete: boolean;
  /** Routes of the Gateway API where they are attached. */
  routeSets(): readonly RouteSet[];
  serviceOf(host: string): ServiceSpec | null;
  workloadsFor(namespace: string, selector: Readonly<Record<string, string>>): readonly KnownWorkload[];
}

/** A call of a workload's own client. */
export interface KnownCall extends CallSpec {
  readonly from: WorkloadSpec;
}

/** `app` = what runs beside the resources; null = nothing but them is known. */
export function worldOf(resources: readonly Resource[], app: AppSpec | null, flavor: FlavorName = 'istio'): World {
  const declared = [...servicesOf(resources), ...externalServicesOf(resources)];
  const own = app?.services ?? [];
  const services = [...own.filter(({ host }) => !declared.some((service) => service.host === host)), ...declared];
  const byHost = new Map(services.map((service) => [service.host, service]));
  const running: KnownWorkload[] = (app?.workloads ?? []).map(({ name, namespace, labels, serviceAccount, ports }) => ({
    name,
    namespace,
    labels,
    serviceAccount,
    ports: ports.map(({ port }) => port),
  }));
  const workloads = [...running, ...workloadsIn(resources)];
  let sets: readonly RouteSet[] | null = null;
  return {
    resources,
    flavor,
    services,
    workloads,
    calls: (app?.workloads ?? []).flatMap((from) => (from.calls ?? []).map((call) => ({ ...call, from }))),
    complete: services.length > 0,
    routeSets: () => {
      sets ??= gatewayRouteSetsOf(resources, flavor);
      return sets;
    },
    serviceOf: (host) => byHost.get(host) ?? wildcard(services, host),
    workloadsFor: (namespace, selector) =>
      workloads.filter((workload) => workload.namespace === namespace && selects(selector, workload.labels)),
  };
}

/** A ServiceEntry may stand for many hosts. */
function wildcard(services: readonly ServiceSpec[], host: string): ServiceSpec | null {
  return services.find((service) => service.host.startsWith('*') && host.endsWith(service.host.slice(1))) ?? null;
}

/** Looks at a world and tells what it finds. */
export type Analyzer = (world: World, tell: Tell) => void;

export type Tell = (
  code: string,
  level: FindingLevel,
  object: ObjectRef,
  where: SourceRef | null,
  message: string,
  more?: { readonly hint?: string; readonly also?: readonly string[] },
) => void;

export function tellInto(found: Finding[]): Tell {
  return (code, level, object, where, message, { hint = '', also = [] } = {}) => {
    found.push({
      code,
      level,
      object: objectName(object),
      source: where ?? object.source,
      message,
      hint,
      ...(also.length === 0 ? {} : { also }),
    });
  };
}
