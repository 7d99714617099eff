import { fits } from '../../model/label-filter.js';
import { fqdn, NAMESPACE } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import type { ProxyDefaults, ServiceDefaults, ServiceIntentions } from '../consul/defaults.js';
import { destinationOf } from '../consul/destination.js';
import { HTTP_LIKE, protocolOf } from '../consul/protocols.js';
import { checkTogether } from '../consul/refuse.js';
import type { ServiceResolver, ServiceRouter, ServiceSplitter } from '../consul/routing.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** Services and callers that Consul's entries name and nobody has, and entries that Consul would refuse. */
export function analyzeConsul(world: World, tell: Tell): void {
  checkTogether(world.resources, (entry, code, at, message, hint) => tell(code, 'error', entry, at, message, { hint }));
  for (const entry of ofKind<ServiceRouter>(world.resources, 'consul', 'ServiceRouter')) {
    checkService(world, entry, entry.name, null, tell);
    checkDeclared(world, entry, tell);
    for (const { destination } of entry.spec.routes ?? [])
      if (destination !== undefined) checkTarget(world, entry, { ...destination, at: sourceOf(destination) }, tell);
  }
  for (const entry of ofKind<ServiceSplitter>(world.resources, 'consul', 'ServiceSplitter')) {
    checkService(world, entry, entry.name, null, tell);
    checkDeclared(world, entry, tell);
    for (const split of entry.spec.splits ?? []) checkTarget(world, entry, { ...split, at: sourceOf(split) }, tell);
  }
  for (const entry of ofKind<ServiceResolver>(world.resources, 'consul', 'ServiceResolver'))
    checkSubsets(world, entry, tell);
  for (const entry of ofKind<ServiceIntentions>(world.resources, 'consul', 'ServiceIntentions'))
    checkCallers(world, entry, tell);
  checkSpoken(world, tell);
}

/** Ports of which the app's file says that they speak no HTTP, and an entry that they do: what is none is refused there. */
function checkSpoken(world: World, tell: Tell): void {
  const protocol = protocolOf(world.resources);
  const [all] = ofKind<ProxyDefaults>(world.resources, 'consul', 'ProxyDefaults');
  for (const { name, host, selector, ports } of world.services) {
    const service = host.split('.')[0] ?? '';
    const said = protocol(service);
    if (selector === null || said === null || !HTTP_LIKE.has(said)) continue;
    const tcp = ports.filter((port) => port.protocol === 'tcp').map(({ port }) => port);
    const own = ofKind<ServiceDefaults>(world.resources, 'consul', 'ServiceDefaults').find(
      (one) => one.name === service && (one.spec.protocol ?? '') !== '',
    );
    const entry = own ?? all;
    if (tcp.length > 0 && entry !== undefined)
      tell(
        'MS0230',
        'warning',
        entry,
        sourceOf(entry.spec, own === undefined ? 'config' : 'protocol'),
        `${said} is spoken with ${name} on ${tcp.join(', ')} too, of which the app's file says tcp: what is no request is refused there`,
        { hint: `a ServiceDefaults ${service} with protocol: tcp` },
      );
  }
}

interface Target {
  readonly service?: string | undefined;
  readonly namespace?: string | undefined;
  readonly at: SourceRef;
}

function checkTarget(world: World, entry: Resource, { service, namespace, at }: Target, tell: Tell): void {
  if (service !== undefined) checkService(world, entry, service, at, tell, namespace);
}

/** A name that exists by its redirect alone. */
function isVirtual(world: World, name: string): boolean {
  return ofKind<ServiceResolver>(world.resources, 'consul', 'ServiceResolver').some(
    (one) => one.name === name && one.spec.redirect !== undefined,
  );
}

function checkService(
  world: World,
  entry: Resource,
  name: string,
  at: SourceRef | null,
  tell: Tell,
  namespace: string = NAMESPACE,
): void {
  if (!world.complete || world.serviceOf(fqdn(name, namespace)) !== null || isVirtual(world, name)) return;
  tell('MS0222', 'error', entry, at, `there is no service ${name} in ${namespace}`, {
    hint: hintOf(
      name,
      world.services.map((one) => one.host.split('.')[0] ?? ''),
    ),
  });
}

function hintOf(name: string, names: readonly string[]): string {
  const close = nearest(name, names);
  return close !== null ? `did you mean ${close}?` : names.length === 0 ? '' : `there are: ${names.join(', ')}`;
}

/** Here the app's file says what a port speaks; a cluster of Consul asks for an entry. */
function checkDeclared(world: World, entry: Resource, tell: Tell): void {
  if (protocolOf(world.resources)(entry.name) !== null) return;
  tell(
    'MS0224',
    'warning',
    entry,
    null,
    `no entry says what ${entry.name} speaks: Consul takes it for tcp and refuses this`,
    {
      hint: `a ServiceDefaults ${entry.name}, or ProxyDefaults for all, with protocol: http`,
    },
  );
}

function checkSubsets(world: World, entry: Resource<ServiceResolver>, tell: Tell): void {
  const { subsets = {}, redirect } = entry.spec;
  if (redirect === undefined) checkService(world, entry, entry.name, null, tell);
  else if (redirect.service !== undefined)
    checkService(world, entry, redirect.service, sourceOf(redirect), tell, redirect.namespace);
  const members = world.workloads.filter(({ labels }) => labels.app === entry.name);
  if (members.length === 0) return;
  for (const [name, { filter }] of Object.entries(subsets)) {
    if (filter == null || members.some(({ labels }) => fits(filter, labels))) continue;
    tell('MS0225', 'warning', entry, sourceOf(subsets, name), `no instance of ${entry.name} is in the subset ${name}`, {
      hint: `versions are: ${[...new Set(members.map((one) => one.labels.version ?? 'none'))].join(', ')}`,
    });
  }
}

/** Intentions are about services by their names; a name that nobody has lets in or keeps out nobody. */
function checkCallers(world: World, entry: Resource<ServiceIntentions>, tell: Tell): void {
  const destination = destinationOf(entry);
  const names = [...new Set(world.workloads.map(({ labels, name }) => labels.app ?? name))];
  if (names.length === 0) return;
  if (destination !== '*' && !names.includes(destination))
    checkService(world, entry, destination, sourceOf(entry.spec.destination ?? entry.spec), tell);
  const { sources = [] } = entry.spec;
  sources.forEach((source, i) => {
    if (
      source.name === '*' ||
      source.peer !== undefined ||
      source.partition !== undefined ||
      names.includes(source.name) ||
      world.workloads.some(({ name }) => name === source.name)
    )
      return;
    tell('MS0226', 'warning', entry, sourceOf(sources, i), `nobody who calls is the service ${source.name}`, {
      hint: hintOf(source.name, names),
    });
  });
}
