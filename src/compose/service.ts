import type { AppPort, AppProtocol, WorkloadSpec } from '../model/app.js';
import { splitWords } from './argv.js';
import { type Environment, interpolate } from './interpolate.js';
import type { Findings } from './problems.js';
import type { YamlView } from './yaml-view.js';

/** Keys of a Compose service that are used, and those that are known, with what happens in their place. */
const USED = [
  'image',
  'command',
  'entrypoint',
  'environment',
  'labels',
  'ports',
  'expose',
  'user',
  'working_dir',
  'x-mesh',
];
const WITHOUT_EFFECT = new Map<string, string>([
  ['build', 'images are not built here: build it first, and name it with image'],
  ['depends_on', 'every app starts when its sidecar is ready'],
  ['networks', 'all workloads share one network'],
  ['volumes', 'not mounted'],
  ['secrets', 'not mounted'],
  ['configs', 'not mounted'],
  ['env_file', 'not read: write environment'],
  ['healthcheck', 'an app counts as ready when its ports accept connections'],
  ['restart', 'what dies is started again anyway'],
  ['profiles', 'every service is started'],
  ['deploy', 'one instance of each service'],
  ['scale', 'one instance of each service'],
]);
const IGNORED = [
  'annotations',
  'attach',
  'blkio_config',
  'cap_add',
  'cap_drop',
  'cgroup',
  'cgroup_parent',
  'container_name',
  'cpu_count',
  'cpu_percent',
  'cpu_period',
  'cpu_quota',
  'cpu_rt_period',
  'cpu_rt_runtime',
  'cpu_shares',
  'cpus',
  'cpuset',
  'credential_spec',
  'develop',
  'device_cgroup_rules',
  'devices',
  'dns',
  'dns_opt',
  'dns_search',
  'domainname',
  'extends',
  'external_links',
  'extra_hosts',
  'gpus',
  'group_add',
  'hostname',
  'init',
  'ipc',
  'isolation',
  'label_file',
  'links',
  'logging',
  'mac_address',
  'mem_limit',
  'mem_reservation',
  'mem_swappiness',
  'memswap_limit',
  'models',
  'network_mode',
  'oom_kill_disable',
  'oom_score_adj',
  'pid',
  'pids_limit',
  'platform',
  'post_start',
  'pre_stop',
  'privileged',
  'provider',
  'pull_policy',
  'read_only',
  'runtime',
  'security_opt',
  'shm_size',
  'stdin_open',
  'stop_grace_period',
  'stop_signal',
  'storage_opt',
  'sysctls',
  'tmpfs',
  'tty',
  'ulimits',
  'use_api_socket',
  'userns_mode',
  'uts',
  'volumes_from',
];
const KNOWN = [...USED, ...WITHOUT_EFFECT.keys(), ...IGNORED];
/** Warned about only where a mesh changes what the key means; networks and restart are what everybody writes. */
const QUIET = new Set(['networks', 'restart', 'depends_on', 'container_name', 'hostname']);

/** Ports whose protocol everybody knows not to be HTTP (as Istio and Linkerd assume). */
const TCP_PORTS = new Set([25, 53, 587, 3306, 4444, 5432, 6379, 9300, 11211, 27017]);

export interface ServiceInput {
  readonly name: string;
  readonly view: YamlView;
  readonly environment: Environment;
  readonly findings: Findings;
}

/** One Compose service as a workload. Problems go to `findings`; what can be read is returned all the same. */
export function readService({ name, view, environment, findings }: ServiceInput): WorkloadSpec {
  const where = `services.${name}`;
  const entries = new Map(view.entries(where).map((entry) => [entry.key, entry]));
  for (const [key, entry] of entries) checkKey(key, entry.keySource, where, findings, entries.has('image'));
  const expanded = (value: YamlView, what: string): string => expandText(value, what, environment, findings);
  const field = (key: string): YamlView | null => entries.get(key)?.value ?? null;
  const labels = pairsOf(field('labels'), `${where}.labels`, expanded);
  const extension = readExtension(field('x-mesh'), `${where}.x-mesh`, findings);
  const image = field('image');
  if (image === null) findings.problem(view.source, `${where} has no image`, 'image: NAME');
  const app = labels['app'] ?? name;
  return {
    name,
    app,
    version: labels['version'] ?? 'v1',
    serviceAccount: extension.serviceAccount ?? app,
    labels,
    ports: portsOf([field('ports'), field('expose')], where, extension.ports, expanded, findings),
    image: image === null ? '' : expanded(image, `${where}.image`),
    command: argvOf(field('command'), `${where}.command`, expanded) ?? [],
    entrypoint: argvOf(field('entrypoint'), `${where}.entrypoint`, expanded),
    environment: pairsOf(field('environment'), `${where}.environment`, expanded, environment),
    localCommand: extension.local,
    user: optional(field('user'), `${where}.user`, expanded),
    workingDir: optional(field('working_dir'), `${where}.working_dir`, expanded),
    source: view.source,
  };
}

type Expand = (value: YamlView, what: string) => string;

function checkKey(key: string, source: YamlView['source'], where: string, findings: Findings, hasImage: boolean): void {
  if (key.startsWith('x-') && key !== 'x-mesh') return;
  if (!KNOWN.includes(key)) return findings.unknownKey(source, key, where, KNOWN);
  if (USED.includes(key) || QUIET.has(key) || (key === 'build' && hasImage)) return;
  findings.warn(source, `${where}.${key} has no effect: ${WITHOUT_EFFECT.get(key) ?? 'not supported'}`);
}

function expandText(value: YamlView, what: string, environment: Environment, findings: Findings): string {
  const text = value.text(what);
  try {
    return interpolate(text ?? '', environment);
  } catch (error) {
    findings.problem(value.source, `${what}: ${(error as Error).message}`);
    return '';
  }
}

function optional(value: YamlView | null, what: string, expanded: Expand): string | null {
  return value === null || value.kind === 'null' ? null : expanded(value, what);
}

/** A mapping, or a list of `NAME=value` (a name alone takes its value from the host). */
function pairsOf(
  value: YamlView | null,
  what: string,
  expanded: Expand,
  host: Environment = {},
): Record<string, string> {
  if (value === null) return {};
  const pairs: Record<string, string> = {};
  if (value.kind === 'list') {
    for (const item of value.items(what)) {
      const text = expanded(item, what);
      const cut = text.indexOf('=');
      if (cut >= 0) pairs[text.slice(0, cut)] = text.slice(cut + 1);
      else pairs[text] = host[text] ?? '';
    }
    return pairs;
  }
  for (const { key, value: item } of value.entries(what))
    pairs[key] = item.kind === 'null' ? (host[key] ?? '') : expanded(item, `${what}.${key}`);
  return pairs;
}

function argvOf(value: YamlView | null, what: string, expanded: Expand): string[] | null {
  if (value === null || value.kind === 'null') return null;
  if (value.kind === 'list') return value.items(what).map((item) => expanded(item, what));
  return splitWords(expanded(value, what));
}

function portsOf(
  lists: readonly (YamlView | null)[],
  where: string,
  declared: ReadonlyMap<number, AppProtocol>,
  expanded: Expand,
  findings: Findings,
): AppPort[] {
  const found = new Set<number>(declared.keys());
  for (const list of lists) {
    for (const item of list?.items(`${where}.ports`) ?? []) {
      const port = item.kind === 'map' ? targetOf(item, where) : portIn(expanded(item, `${where}.ports`));
      if (port === null)
        findings.problem(item.source, `${where}: not a port`, 'for example "8080" or "127.0.0.1:80:8080"');
      else found.add(port);
    }
  }
  return [...found].map((port) => ({ port, protocol: declared.get(port) ?? (TCP_PORTS.has(port) ? 'tcp' : 'http') }));
}

/** Container port of the short syntax `[host:][published:]target[/protocol]`; UDP and ranges are none of ours. */
function portIn(text: string): number | null {
  const match = /^(?:.*:)?(\d{1,5})(?:\/tcp)?$/.exec(text);
  const port = Number(match?.[1]);
  return match && port > 0 && port < 65536 ? port : null;
}

function targetOf(item: YamlView, where: string): number | null {
  const target = item.entries(`${where}.ports`).find(({ key }) => key === 'target');
  return target?.value.number(`${where}.ports.target`) ?? null;
}

interface ServiceExtension {
  readonly serviceAccount: string | null;
  readonly ports: ReadonlyMap<number, AppProtocol>;
  readonly local: readonly string[] | null;
}

/** `services.<name>.x-mesh`; strict. */
function readExtension(view: YamlView | null, where: string, findings: Findings): ServiceExtension {
  const known = ['serviceAccount', 'ports', 'local'];
  let serviceAccount: string | null = null;
  let local: readonly string[] | null = null;
  const ports = new Map<number, AppProtocol>();
  for (const { key, keySource, value } of view?.entries(where) ?? []) {
    if (key === 'serviceAccount') serviceAccount = accountOf(value, `${where}.serviceAccount`, findings);
    else if (key === 'local') local = value.items(`${where}.local`).map((item) => item.text(`${where}.local`) ?? '');
    else if (key === 'ports') readProtocols(value, `${where}.ports`, ports, findings);
    else findings.unknownKey(keySource, key, where, known);
  }
  return { serviceAccount, ports, local };
}

function accountOf(value: YamlView, what: string, findings: Findings): string | null {
  const text = value.text(what);
  if (text !== null && /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(text)) return text;
  findings.problem(value.source, `${what} must be a Kubernetes name`, 'letters, digits and dashes');
  return null;
}

function readProtocols(value: YamlView, what: string, ports: Map<number, AppProtocol>, findings: Findings): void {
  for (const { key, keySource, value: item } of value.entries(what)) {
    const port = portIn(key);
    const protocol = item.text(`${what}.${key}`);
    if (port === null) findings.problem(keySource, `${what}: ${JSON.stringify(key)} is not a port`);
    else if (protocol === 'http' || protocol === 'tcp') ports.set(port, protocol);
    else findings.problem(item.source, `${what}.${key} must be http or tcp`);
  }
}
