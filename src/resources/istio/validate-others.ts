import { isIP } from 'node:net';
import { isWritten, sourceOf } from '../../yaml/positions.js';
import { type Refuse, refuser } from '../refuse.js';
import type { Report, Resource } from '../resource.js';
import { type Gateway, type PeerAuthentication, type Sidecar, tellGateway } from './others.js';
import type { ServiceEntry, WorkloadEntry } from './service-entry.js';

/** What Istio's admission refuses of its smaller kinds (pkg/config/validation). */

const PROTOCOLS = [
  ...['HTTP', 'HTTP2', 'HTTPS', 'HTTP_PROXY', 'GRPC', 'GRPC-WEB', 'TCP', 'TLS', 'MONGO', 'REDIS', 'MYSQL', 'UDP'],
  'HBONE',
  'DOUBLEHBONE',
];

function checkProtocol(port: object & { protocol?: string }, refuse: Refuse): void {
  if (port.protocol && !PROTOCOLS.includes(port.protocol.toUpperCase()))
    refuse(sourceOf(port, 'protocol'), `${port.protocol} is no protocol`, PROTOCOLS.join(', '));
}

export function checkServiceEntry({ spec }: Resource<ServiceEntry>, report: Report): void {
  const refuse = refuser(report);
  const { hosts, addresses = [], ports = [], endpoints = [], workloadSelector, resolution = 'NONE' } = spec;
  if (hosts.length === 0)
    refuse(sourceOf(spec, 'hosts'), 'a ServiceEntry has at least one host', 'hosts: [ api.example.com ]');
  for (const [i, host] of hosts.entries())
    if (host === '*') refuse(sourceOf(hosts, i), 'the host * stands for everything', 'a name, or *.example.com');
  if (workloadSelector !== undefined && endpoints.length > 0)
    refuse(sourceOf(spec, 'endpoints'), 'a ServiceEntry has a workloadSelector or endpoints, not both');
  for (const [label, value] of Object.entries(workloadSelector?.labels ?? {}))
    if (value.includes('*'))
      refuse(
        sourceOf(workloadSelector?.labels ?? {}, label),
        'a selector compares labels as they are, without wildcards',
      );
  if (resolution !== 'NONE' && resolution !== 'STATIC')
    for (const [i, address] of addresses.entries())
      if (address.includes('/'))
        refuse(
          sourceOf(addresses, i),
          `with resolution ${resolution} an address is one, and not a range`,
          'resolution: NONE',
        );
  const [numbers, names] = [ports.map(({ number }) => number), ports.map(({ name }) => name)];
  for (const [i, port] of ports.entries()) {
    checkProtocol(port, refuse);
    if (numbers.indexOf(port.number) !== i) refuse(sourceOf(port), `the port ${port.number} stands twice`);
    if (port.name !== undefined && names.indexOf(port.name) !== i)
      refuse(sourceOf(port), `the port name ${port.name} stands twice`);
  }
  checkResolution(spec, refuse);
  checkHosts(spec, refuse);
}

/** Protocols that tell hosts apart, by the authority or by SNI. */
const NAMING = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB', 'HTTP_PROXY', 'HTTPS', 'TLS']);

/** Where nothing of a connection names a host, several cannot be told apart. */
function checkHosts({ hosts, ports = [], resolution = 'NONE' }: ServiceEntry, refuse: Refuse): void {
  if (resolution === 'NONE' || hosts.length < 2) return;
  for (const port of ports)
    if (!NAMING.has((port.protocol ?? '').toUpperCase()))
      refuse(
        sourceOf(port, 'protocol'),
        `connections of ${port.protocol || 'no known protocol'} name no host, and there are ${hosts.length} hosts`,
        'a ServiceEntry for each',
      );
}

function checkResolution(spec: ServiceEntry, refuse: Refuse): void {
  const { hosts, endpoints = [], resolution = 'NONE' } = spec;
  if (resolution === 'NONE' && endpoints.length > 0)
    refuse(sourceOf(spec, 'endpoints'), 'with resolution NONE no endpoints are given', 'resolution: STATIC');
  if (resolution === 'STATIC')
    for (const endpoint of endpoints)
      if (endpoint.address !== undefined && isIP(endpoint.address) === 0 && !endpoint.address.startsWith('unix://'))
        refuse(
          sourceOf(endpoint, 'address'),
          `with resolution STATIC ${endpoint.address} must be an address`,
          'resolution: DNS',
        );
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1)
    refuse(sourceOf(spec, 'endpoints'), 'with resolution DNS_ROUND_ROBIN there is one endpoint', 'resolution: DNS');
  if ((resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN') && endpoints.length === 0)
    for (const [i, host] of hosts.entries())
      if (host.startsWith('*'))
        refuse(sourceOf(hosts, i), `${host} cannot be looked up`, 'resolution: NONE, or endpoints');
}

export function checkWorkloadEntry({ spec, source }: Resource<WorkloadEntry>, report: Report): void {
  const refuse = refuser(report);
  const { address, ports = {} } = spec;
  if (address === undefined) {
    refuse(source, 'it has no address', 'address: 192.0.2.7');
    return;
  }
  if (!address.startsWith('unix://')) return;
  if (!/^unix:\/\/\/.+[^/]$/.test(address)) refuse(sourceOf(spec, 'address'), `${address} is no path of a socket`);
  if (Object.keys(ports).length > 0) refuse(sourceOf(spec, 'ports'), 'a Unix socket has no ports');
}

export function checkSidecar({ spec, source }: Resource<Sidecar>, report: Report): void {
  const refuse = refuser(report);
  const { egress } = spec;
  if (!['ingress', 'egress', 'outboundTrafficPolicy', 'inboundConnectionPool'].some((part) => isWritten(spec, part)))
    refuse(source, 'it says nothing of its workloads', 'egress: [ { hosts: [ ./* ] } ]');
  for (const entry of egress ?? []) {
    if (entry.hosts.length === 0) refuse(sourceOf(entry, 'hosts'), 'egress has at least one host', 'hosts: [ ./* ]');
    for (const [i, host] of entry.hosts.entries())
      if (!host.includes('/'))
        refuse(sourceOf(entry.hosts, i), `${host} has no namespace before it`, `./${host} or */${host}`);
  }
}

export function checkGateway(resource: Resource<Gateway>, report: Report): void {
  const refuse = refuser(report);
  const { servers = [] } = resource.spec;
  if (servers.length === 0)
    refuse(
      null,
      'a Gateway has at least one server',
      'servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ "*" ] } ]',
    );
  for (const server of servers) {
    const { port, hosts = [] } = server;
    checkProtocol(port, refuse);
    if (hosts.length === 0) refuse(sourceOf(server), 'a server has at least one host', "hosts: [ '*' ]");
    if (port.name === undefined) refuse(sourceOf(port), 'the port has no name', 'name: http');
    if (port.number === undefined) refuse(sourceOf(port), 'the port has no number', 'number: 80');
    if (port.protocol === undefined) refuse(sourceOf(port), 'the port has no protocol', 'protocol: HTTP');
    if (port.protocol?.toUpperCase() === 'HTTPS' && !isWritten(server, 'tls'))
      refuse(sourceOf(server), 'a server of HTTPS has tls', 'tls: { mode: SIMPLE, credentialName: … }');
  }
  tellGateway(resource, report);
}

export function checkPeerAuthentication({ spec }: Resource<PeerAuthentication>, report: Report): void {
  const refuse = refuser(report);
  const { portLevelMtls } = spec;
  if (portLevelMtls === undefined) return;
  if (Object.keys(portLevelMtls).length === 0)
    refuse(sourceOf(spec, 'portLevelMtls'), 'portLevelMtls says nothing', 'leave it out');
  for (const port of Object.keys(portLevelMtls))
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
      refuse(sourceOf(portLevelMtls, port), `${port} is no port`, '8080: { mode: STRICT }');
}
