import { targetOf } from '../../model/target-port.js';
import { sourceOf } from '../../yaml/positions.js';
import type { ServiceEntry } from '../istio/service-entry.js';
import type { KnownWorkload } from '../kubernetes/deployment.js';
import { protocolWord, type ServiceObject } from '../kubernetes/service.js';
import { targetNamed } from '../kubernetes/target-names.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

const PROTOCOLS = [
  'http',
  'http2',
  'https',
  'grpc',
  'grpc-web',
  'tcp',
  'tls',
  'mongo',
  'mysql',
  'redis',
  'udp',
  'auto',
  'hbone',
];
const APP_PROTOCOLS = [
  ...PROTOCOLS,
  'kubernetes.io/h2c',
  'kubernetes.io/ws',
  'kubernetes.io/wss',
  'linkerd.io/opaque',
  'linkerd.io/tcp',
];

/** How ports are named, and what stands behind them. */
export function analyzePorts(world: World, tell: Tell): void {
  const services = ofKind<ServiceObject>(world.resources, 'kubernetes', 'Service');
  for (const service of services) {
    checkNames(service, tell);
    checkTargets(world, service, tell);
  }
  checkShared(world, services, tell);
  checkEntries(world, tell);
}

function checkNames(service: Resource<ServiceObject>, tell: Tell): void {
  for (const port of service.spec.ports ?? []) {
    const { name, appProtocol } = port;
    if (appProtocol !== undefined && !APP_PROTOCOLS.includes(appProtocol.toLowerCase()))
      tell(
        'KIA0602',
        'error',
        service,
        sourceOf(port, 'appProtocol'),
        `${appProtocol} is no protocol that a mesh knows: the port is taken for TCP`,
        { hint: PROTOCOLS.join(', ') },
      );
    const word = protocolWord(port);
    const external = service.spec.type === 'ExternalName';
    // Istio takes the bare name tcp of an ExternalName for none (observed in its own test data).
    const bare = external && name === 'tcp';
    if (!bare && (appProtocol !== undefined || (word !== undefined && PROTOCOLS.includes(word)))) continue;
    if (external)
      tell(
        'IST0150',
        'warning',
        service,
        sourceOf(port),
        `port ${name ?? port.port} of an ExternalName Service does not begin with its protocol: nothing is forwarded`,
        { hint: 'name: tcp-web' },
      );
    else
      tell(
        'IST0118',
        'info',
        service,
        sourceOf(port),
        `the port name ${name === undefined ? 'is missing' : JSON.stringify(name)} does not begin with a protocol, so it is sniffed`,
        {
          hint: `name: http${name === undefined ? '' : `-${name}`}`,
          also: ['KIA0601'],
        },
      );
  }
}

function checkTargets(world: World, service: Resource<ServiceObject>, tell: Tell): void {
  const { selector, ports = [] } = service.spec;
  if (selector === undefined) return;
  const workloads = world.workloadsFor(service.namespace, selector);
  const listening = workloads.flatMap((workload) => workload.ports ?? []);
  for (const port of ports) {
    const target = Number(port.targetPort ?? port.port);
    if (!Number.isInteger(target)) checkNamed(world, service, port, workloads, tell);
    if (Number.isInteger(target) && listening.length > 0 && !listening.includes(target))
      tell('KIA0701', 'warning', service, sourceOf(port), `no workload that it selects listens on ${target}`, {
        hint: `they listen on: ${[...new Set(listening)].join(', ')}`,
      });
  }
}

/** A target by name that nothing gives a number to, and that could be one port or another. */
function checkNamed(
  world: World,
  service: Resource<ServiceObject>,
  port: NonNullable<ServiceObject['ports']>[number],
  workloads: readonly KnownWorkload[],
  tell: Tell,
): void {
  const { targetPort: name = '', port: number } = port;
  const targetName = targetNamed(name, service.namespace, service.spec.selector ?? {}, world.resources);
  const lost = workloads.filter(({ ports, labels }) => {
    if (ports === null) return false;
    const target = targetOf({ targetPort: number, targetName }, { labels, ports: ports.map((own) => ({ port: own })) });
    return target === null || !ports.includes(target);
  });
  if (lost.length > 0)
    tell(
      'KIA0701',
      'warning',
      service,
      sourceOf(port, 'targetPort'),
      `${lost.map((one) => one.name).join(', ')} listens on no port that is called ${name}, so nothing is sent there`,
      {
        hint: `a number: ${[...new Set(lost.flatMap(({ ports }) => ports ?? []))].join(', ')}; or the Deployment that names it`,
      },
    );
}

/** One port of a workload behind several Services, under different names or protocols. */
function checkShared(world: World, services: readonly Resource<ServiceObject>[], tell: Tell): void {
  for (const workload of world.workloads) {
    const uses = services
      .filter(
        ({ namespace, spec }) =>
          namespace === workload.namespace &&
          spec.selector !== undefined &&
          Object.entries(spec.selector).every(([name, value]) => workload.labels[name] === value),
      )
      .flatMap((service) =>
        (service.spec.ports ?? []).map((port) => ({
          service,
          port,
          target: Number(port.targetPort ?? port.port),
          word: protocolWord(port) ?? 'auto',
        })),
      );
    for (const [i, use] of uses.entries()) {
      const twin = uses.slice(0, i).find((other) => other.target === use.target && other.service !== use.service);
      if (twin === undefined) continue;
      if (twin.word !== use.word)
        tell(
          'IST0116',
          'warning',
          use.service,
          sourceOf(use.port),
          `port ${use.target} of ${workload.name} is ${use.word} here and ${twin.word} in the Service ${twin.service.name}`,
          { hint: 'the same protocol in both' },
        );
      else if (twin.port.port !== use.port.port)
        tell(
          'IST0137',
          'warning',
          use.service,
          sourceOf(use.port),
          `port ${use.target} of ${workload.name} is port ${use.port.port} here and ${twin.port.port} in the Service ${twin.service.name}`,
        );
    }
  }
}

function checkEntries(world: World, tell: Tell): void {
  const entries = ofKind<ServiceEntry>(world.resources, 'istio', 'ServiceEntry');
  const seen = new Map<string, { entry: Resource<ServiceEntry>; protocol: string }>();
  for (const entry of entries)
    for (const port of entry.spec.ports ?? []) {
      const protocol = (port.protocol || 'TCP').toUpperCase();
      if (['TCP', 'MONGO', 'MYSQL', 'REDIS'].includes(protocol) && (entry.spec.addresses ?? []).length === 0)
        tell(
          'IST0134',
          'warning',
          entry,
          sourceOf(port),
          `${protocol} knows no host names: without addresses port ${port.number} is taken from every address`,
          { hint: 'addresses: [ 203.0.113.7 ]' },
        );
      for (const host of entry.spec.hosts) {
        const key = `${host}:${port.number}`;
        const before = seen.get(key);
        if (before !== undefined && before.protocol !== protocol)
          tell(
            'IST0177',
            'warning',
            entry,
            sourceOf(port),
            `${key} is ${protocol} here and ${before.protocol} in ${before.entry.name}`,
            { also: ['KIA1212'] },
          );
        else if (before !== undefined && before.entry !== entry)
          tell('KIA1211', 'warning', entry, sourceOf(port), `${before.entry.name} is about ${key} as well`);
        else seen.set(key, { entry, protocol });
      }
    }
}
