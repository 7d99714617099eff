import type { SourceRef } from '../model/app.js';
import { editDistance } from '../model/nearest.js';
import type { Findings } from '../yaml/problems.js';
import type { YamlEntry } from '../yaml/view.js';

/** Keys of a Compose service that are used. */
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

/** Keys that are known, with what happens in their place. */
const INSTEAD = new Map<string, string>([
  ['build', 'images are not built here: build it first, and name it with image'],
  ['container_name', 'callers use the label app, or the name of the service'],
  ['configs', 'not mounted'],
  ['depends_on', 'every app starts when its sidecar is ready'],
  ['deploy', 'one instance of each service'],
  ['devices', 'not passed on'],
  ['env_file', 'not read: write environment'],
  ['extends', 'not followed: write the service out, or share parts of it with a YAML anchor'],
  ['external_links', 'callers use the label app, or the name of the service'],
  ['healthcheck', 'an app counts as ready when its ports accept connections'],
  ['hostname', 'callers use the label app, or the name of the service'],
  ['links', 'callers use the label app, or the name of the service'],
  ['network_mode', 'every workload has a network of its own, shared with its sidecar'],
  ['networks', 'all workloads share one network, and callers use the label app'],
  ['profiles', 'every service is started'],
  ['restart', 'what dies is started again anyway'],
  ['scale', 'one instance of each service'],
  ['secrets', 'not mounted'],
  ['tmpfs', 'not mounted'],
  ['volumes', 'not mounted'],
  ['volumes_from', 'not mounted'],
]);

/** The rest of the Compose specification. */
const UNSUPPORTED = `annotations attach blkio_config cap_add cap_drop cgroup cgroup_parent cpu_count cpu_percent
  cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec develop device_cgroup_rules
  dns dns_opt dns_search domainname extra_hosts gpus group_add init ipc isolation label_file logging mac_address
  mem_limit mem_reservation mem_swappiness memswap_limit models oom_kill_disable oom_score_adj pid pids_limit platform
  post_start pre_stop privileged provider pull_policy read_only runtime security_opt shm_size stdin_open
  stop_grace_period stop_signal storage_opt sysctls tty ulimits use_api_socket userns_mode uts`.split(/\s+/);

const KNOWN = [...USED, ...INSTEAD.keys(), ...UNSUPPORTED];

const TOP_LEVEL = ['name', 'services', 'x-mesh'];
/** Quiet are those that mean nothing by themselves, only through the services that use them. */
const TOP_LEVEL_INSTEAD = new Map<string, string | null>([
  ['version', null],
  ['networks', null],
  ['volumes', null],
  ['secrets', null],
  ['configs', null],
  ['models', null],
  ['include', 'not followed: write all services in one file'],
]);

/** Judges the keys of one service: unknown ones are problems, known ones without effect are warned about. */
export function checkServiceKeys(service: string, entries: ReadonlyMap<string, YamlEntry>, findings: Findings): void {
  for (const [key, { keySource, value }] of entries) {
    if (USED.includes(key) || isExtension(key, keySource, `services.${service}`, findings)) continue;
    if (!KNOWN.includes(key)) findings.unknownKey(keySource, key, `services.${service}`, KNOWN);
    else if (key === 'build' && entries.has('image')) continue;
    else if (key === 'networks' && onlyDefault(value)) continue;
    else findings.ignored(keySource, key, service, INSTEAD.get(key) ?? 'not supported');
  }
}

/** Judges the keys at the top of the file. */
export function checkTopLevelKeys(entries: Iterable<YamlEntry>, findings: Findings): void {
  const known = [...TOP_LEVEL, ...TOP_LEVEL_INSTEAD.keys()];
  for (const { key, keySource } of entries) {
    if (TOP_LEVEL.includes(key) || isExtension(key, keySource, 'the file', findings)) continue;
    const instead = TOP_LEVEL_INSTEAD.get(key);
    if (instead === undefined) findings.unknownKey(keySource, key, 'the file', known);
    else if (instead !== null) findings.warn(keySource, `${key} has no effect: ${instead}`);
  }
}

/** Any `x-` key is allowed and belongs to somebody else, unless it is ours with a slip of the pen. */
function isExtension(key: string, source: SourceRef, where: string, findings: Findings): boolean {
  if (!key.startsWith('x-')) return false;
  if (editDistance(key.toLowerCase(), 'x-mesh') === 1)
    findings.warn(source, `${key} in ${where} is not read; did you mean x-mesh?`);
  return true;
}

/** Aliases in the network that everybody shares are for plain Compose; the label `app` says the same to the mesh. */
function onlyDefault(networks: YamlEntry['value']): boolean {
  if (networks.kind === 'list') return networks.items('networks').every((item) => item.text('networks') === 'default');
  return networks.entries('networks').every(({ key }) => key === 'default');
}
