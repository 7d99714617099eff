import type { AppPort, AppProtocol } from '../model/app.js';
import type { Findings } from '../yaml/problems.js';
import type { YamlView } from '../yaml/view.js';

/** Ports whose protocol everybody knows not to be HTTP (as Istio and Linkerd assume). */
const TCP_PORTS = new Set([25, 53, 587, 3306, 4444, 5432, 6379, 9300, 11211, 27017]);

/** Most ports that one range may open. */
const RANGE = 64;

const LONG_SYNTAX = ['target', 'published', 'host_ip', 'protocol', 'app_protocol', 'mode', 'name'];

export interface PortsInput {
  /** The values of `ports` and `expose`, by key. */
  readonly lists: readonly { readonly key: string; readonly view: YamlView | null }[];
  readonly service: string;
  /** Protocols from `x-mesh.ports`; a port named there needs no other mention. */
  readonly declared: ReadonlyMap<number, AppProtocol>;
  readonly expanded: (value: YamlView, what: string) => string;
  readonly findings: Findings;
}

/** The ports on which the app itself listens; where the host would publish them is no matter of the mesh. */
export function readPorts(input: PortsInput): AppPort[] {
  const found = new Set<number>(input.declared.keys());
  for (const { key, view } of input.lists) {
    const what = `services.${input.service}.${key}`;
    for (const item of view?.items(what) ?? []) {
      const ports = item.kind === 'map' ? longSyntax(item, what, input) : shortSyntax(item, what, input);
      for (const port of ports) found.add(port);
    }
  }
  return [...found].map((port) => ({ port, protocol: input.declared.get(port) ?? wellKnown(port) }));
}

/** A port number written as text, or null. */
export function portNumber(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : null;
}

function wellKnown(port: number): AppProtocol {
  return TCP_PORTS.has(port) ? 'tcp' : 'http';
}

/** `[host:][published:]target[-last][/protocol]` */
function shortSyntax(item: YamlView, what: string, { expanded, findings, service }: PortsInput): number[] {
  const text = expanded(item, what);
  const match = /^(?:(?:\[[^\]]*\]|[\d.]+):)?(?:[\d-]*:)?(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text);
  const first = portNumber(match?.[1] ?? '');
  const last = match?.[2] === undefined ? first : portNumber(match[2]);
  if (first === null || last === null || last < first) {
    findings.problem(
      item.source,
      `${what}: ${JSON.stringify(text)} is not a port`,
      'for example "8080" or "127.0.0.1:80:8080"',
    );
    return [];
  }
  if (last - first >= RANGE) {
    findings.problem(item.source, `${what}: ${JSON.stringify(text)} is more than ${RANGE} ports`);
    return [];
  }
  if (isDatagram(match?.[3], item, service, findings)) return [];
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}

function longSyntax(item: YamlView, what: string, { expanded, findings, service }: PortsInput): number[] {
  const entries = new Map(item.entries(what).map((entry) => [entry.key, entry]));
  for (const { key, keySource } of entries.values()) {
    if (!LONG_SYNTAX.includes(key) && !key.startsWith('x-')) findings.unknownKey(keySource, key, what, LONG_SYNTAX);
  }
  const target = entries.get('target')?.value;
  const port = target === undefined ? null : portNumber(expanded(target, `${what}.target`));
  if (port === null) findings.problem((target ?? item).source, `${what}: target must be a port`, 'target: 8080');
  const protocol = entries.get('protocol')?.value;
  const datagram =
    protocol !== undefined && isDatagram(expanded(protocol, `${what}.protocol`), item, service, findings);
  return port === null || datagram ? [] : [port];
}

/** A sidecar carries streams. What is no stream goes past it, which the user must know. */
function isDatagram(protocol: string | undefined, item: YamlView, service: string, findings: Findings): boolean {
  if (protocol === undefined || protocol === 'tcp') return false;
  findings.warn(item.source, `services.${service}: a mesh carries TCP only, so the ${protocol} port is left out`);
  return true;
}
