import { type ServicePort, type ServiceSpec, selects } from '../model/app.js';
import type { Flavor } from '../model/flavor.js';
import { hostMatches } from '../model/host-match.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { hostNames } from '../model/names.js';
import type { EgressPolicy } from '../model/policies.js';
import type { Caller } from './caller.js';
import { asDeclared, withProtocol } from './protocols.js';
import { merged, onePerHost, withOther } from './same-host.js';

/** Every service of the mesh: the app's own, and those that resources declare; a resource replaces the app's of its host. */
export function servicesOf(mesh: MeshConfig): ServiceSpec[] {
  const all = merged(mesh.policies.services);
  const declared = new Map(all.map((service) => [`${service.namespace}/${service.host}`, service]));
  const own = mesh.app.services.map((service) =>
    replaced(service, declared.get(`${service.namespace}/${service.host}`), mesh.flavor),
  );
  const known = new Set(own.map(({ host }) => host));
  const others = all.filter(({ host }) => !known.has(host));
  const spokenAll = [...own, ...others.map((service) => spoken(service, [], mesh.flavor))];
  return withAliases(spokenAll.map((service) => inProtocol(service, mesh)));
}

/** A service that is another name of one that is here is no service of its own (Istio's aliases, for ExternalName). */
function withAliases(services: readonly ServiceSpec[]): ServiceSpec[] {
  if (services.every(({ aliasOf }) => aliasOf === undefined)) return [...services];
  const byHost = new Map(services.map((service) => [service.host, service]));
  const meant = new Map(services.map((service) => [service, meantBy(service, byHost)]));
  return services
    .filter((service) => meant.get(service) === service)
    .map((service) => {
      const aliases = services.filter((one) => one !== service && meant.get(one) === service).map(({ host }) => host);
      return aliases.length === 0 ? service : { ...service, aliases };
    });
}

/** Names of names are followed as far as they lead to services. */
function meantBy(service: ServiceSpec, byHost: ReadonlyMap<string, ServiceSpec>): ServiceSpec {
  let last = service;
  for (let i = 0; i < byHost.size; i++) {
    const next = last.aliasOf === undefined ? undefined : byHost.get(last.aliasOf);
    // A circle leads nowhere, and each of it stands for itself.
    if (next === service) return service;
    if (next === undefined) return last;
    last = next;
  }
  return service;
}

/** What is outside of the mesh is no service that a policy could have declared. */
function inProtocol(service: ServiceSpec, { policies }: MeshConfig): ServiceSpec {
  if (service.selector === null || policies.protocols.length === 0) return service;
  return { ...service, ports: asDeclared(service.host.split('.')[0] ?? '', service.ports, policies.protocols) };
}

/** The app's name and address stay: they stand in its pods already; its workloads as well, where only endpoints are added. */
function replaced(own: ServiceSpec, by: ServiceSpec | undefined, flavor: Flavor): ServiceSpec {
  if (by === undefined) return own;
  if (by.selector === null && by.outside !== undefined && by.aliasOf === undefined)
    return withOther(own, spoken(by, own.ports, flavor));
  // What workloads of ours are is not outside of the mesh, whoever declares it again.
  const { external, ...declared } = spoken(by, own.ports, flavor);
  const outside = external !== undefined && by.aliasOf !== undefined ? { external } : {};
  return { ...declared, ...outside, name: own.name, virtualIp: own.virtualIp };
}

function spoken(service: ServiceSpec, own: readonly ServicePort[], flavor: Flavor): ServiceSpec {
  return { ...service, ports: service.ports.map((port) => withProtocol(port, flavor, own)) };
}

/** The Sidecar that is about a caller: one that selects it, else its namespace's, else the mesh's (Istio). */
export function egressFor(
  caller: Caller,
  policies: readonly EgressPolicy[],
  rootNamespace: string,
): EgressPolicy | null {
  const inForce = policies.toSorted((a, b) => a.created - b.created);
  const own = inForce.filter(({ object }) => object.namespace === caller.namespace);
  return (
    own.find(({ callers }) => callers !== null && selects(callers, caller.labels)) ??
    own.find(({ callers }) => callers === null) ??
    inForce.find(({ object, callers }) => object.namespace === rootNamespace && callers === null) ??
    null
  );
}

/** The services that a caller may see. */
export function visibleServices(
  services: readonly ServiceSpec[],
  egress: EgressPolicy | null,
  caller: Caller,
): ServiceSpec[] {
  const hosts = egress?.hosts ?? null;
  const exported = services.filter(({ visibleTo }) => visibleTo === undefined || visibleTo.includes(caller.namespace));
  const seen =
    hosts === null
      ? exported
      : exported.filter((service) =>
          hosts.some(({ namespace, host }) => {
            const wanted = namespace === '.' ? caller.namespace : namespace;
            return (wanted === '*' || wanted === service.namespace) && hostMatches(host, service.host);
          }),
        );
  return onePerHost(seen, caller.namespace);
}

/** Names under which a caller's requests may ask for a service. */
export function domainsOf(
  { host, virtualIp, otherAddresses = [], aliases = [] }: ServiceSpec,
  caller: Caller,
): string[] {
  const names = [host, ...aliases].flatMap((one) => namesOf(one, caller.namespace));
  return [...names, virtualIp, ...otherAddresses].filter((name) => name !== '');
}

function namesOf(host: string, from: string): string[] {
  const names = hostNames(host, from);
  return names.length > 1 ? [...names, `${host}.`] : names;
}
