import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { WorkloadSpec } from '../../model/app.js';
import { hostNames, PORTS, UIDS } from '../../model/names.js';
import { IMAGE_NAME, IMAGE_PROGRAMS } from '../programs.js';
import { SandboxError, type SandboxPlan } from '../runtime.js';
import { interceptionScript } from './interception.js';
import { labelsOf } from './labels.js';

/** Name of the control plane on the sandbox's network; also in its certificate. */
export const CONTROL_PLANE_HOST = 'control-plane.mesh-sandbox.internal';
export const GATEWAY_HOST = 'gateway.mesh-sandbox.internal';
export const STATE_FOLDER = '/var/lib/mesh-sandbox';

const MIB = 1024 * 1024;

/** What every container of ours gets: no capabilities, no new ones, read-only root, bounded (at most two cores each). */
const HARDENED: HostConfig = {
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  ReadonlyRootfs: true,
  PidsLimit: 256,
  CpuPeriod: 100_000,
  CpuQuota: 200_000,
  Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=16m' },
  LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '2' } },
};

/** Heap sizes: a small young generation keeps memory low, the lid on the old one ends a leak. */
const PROXY_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=96'];

export interface SpecParts {
  readonly plan: SandboxPlan;
  readonly image: string;
  readonly network: string;
}

type Spec = ContainerCreateOptions;

function program(parts: SpecParts, part: string, user: number, argv: readonly string[], host: HostConfig): Spec {
  return {
    Image: parts.image,
    Labels: labelsOf(parts.plan, part),
    User: `${user}:${user}`,
    Entrypoint: [],
    Cmd: [...argv],
    OpenStdin: true,
    StdinOnce: true,
    Env: ['NODE_NO_WARNINGS=1'],
    HostConfig: { ...HARDENED, ...host },
  };
}

/**
 * Owns the pod's network namespace and its hosts file, and does nothing. On the network it has the names of its service:
 * apps outside the mesh ask Docker for them, those inside find the service's virtual IP in their hosts file.
 */
export function pauseSpec(parts: SpecParts, { name: workload, app }: WorkloadSpec, ipv6Switch: boolean): Spec {
  const { plan } = parts;
  const namespace = plan.app.workloads.find(({ name }) => name === workload)?.namespace;
  const hosts = plan.app.services.flatMap(({ host, virtualIp: address }) =>
    hostNames(host, namespace).map((name) => `${name}:${address}`),
  );
  return {
    Image: parts.image,
    Labels: labelsOf(plan, `${workload}/pause`),
    User: `${UIDS.app}:${UIDS.app}`,
    Hostname: workload.slice(0, 63),
    Entrypoint: [],
    Cmd: ['sleep', '2147483647'],
    StopSignal: 'SIGKILL',
    HostConfig: {
      ...HARDENED,
      Memory: 16 * MIB,
      NetworkMode: parts.network,
      ExtraHosts: hosts,
      ...(ipv6Switch ? { Sysctls: { 'net.ipv6.conf.all.disable_ipv6': '1' } } : {}),
    },
    NetworkingConfig: known(parts, hostNames(app)),
  };
}

/** Writes the interception rules and ends. The only container that may. */
export function initSpec(parts: SpecParts, workload: string, pauseId: string): Spec {
  return {
    Image: parts.image,
    Labels: labelsOf(parts.plan, `${workload}/init`),
    User: '0:0',
    Entrypoint: [],
    Cmd: ['/bin/sh', '-c', interceptionScript()],
    HostConfig: {
      ...HARDENED,
      CapAdd: ['NET_ADMIN'],
      Tmpfs: { '/run': 'rw,nosuid,nodev,size=1m' },
      Memory: 32 * MIB,
      NetworkMode: `container:${pauseId}`,
    },
  };
}

export function sidecarSpec(parts: SpecParts, workload: string, pauseId: string): Spec {
  return program(parts, `${workload}/sidecar`, UIDS.proxy, ['node', ...PROXY_FLAGS, `${IMAGE_PROGRAMS}/proxy.cjs`], {
    Memory: 192 * MIB,
    NetworkMode: `container:${pauseId}`,
  });
}

/**
 * The user's app. Without capabilities and without a way to get new ones it cannot become the sidecar's user and so slip
 * past the interception (not even as root). Only our own image is known to live with a read-only root.
 */
export function appSpec(parts: SpecParts, workload: WorkloadSpec, pauseId: string): Spec {
  const own = workload.image === IMAGE_NAME;
  const host: HostConfig = { ...HARDENED, ReadonlyRootfs: own, Memory: (own ? 256 : 1024) * MIB };
  return {
    Image: own ? parts.image : workload.image,
    Labels: { ...workload.labels, ...labelsOf(parts.plan, `${workload.name}/app`) },
    Env: Object.entries(workload.environment).map(([name, value]) => `${name}=${value}`),
    ...(workload.command.length > 0 ? { Cmd: [...workload.command] } : {}),
    ...(workload.entrypoint === null ? {} : { Entrypoint: [...workload.entrypoint] }),
    ...(workload.workingDir === null ? {} : { WorkingDir: workload.workingDir }),
    User: workload.user ?? `${UIDS.app}:${UIDS.app}`,
    HostConfig: { ...host, NetworkMode: `container:${pauseId}` },
  };
}

/** Interception lets one user pass: an app that runs as this user would stand outside the mesh. */
export function refuseSidecarsUser({ name, user }: WorkloadSpec): void {
  const id = user?.split(':')[0] ?? '';
  // As a number, since the engine takes `01337` for it too.
  if (Number(id) !== UIDS.proxy && id !== 'proxy') return;
  throw new SandboxError(`${name} may not run as user ${user}: it is the sidecar's, whose traffic is not intercepted`, [
    `say another one in the Compose file: services.${name}.user: "${UIDS.app}"`,
  ]);
}

export function controlPlaneSpec(parts: SpecParts, volume: string): Spec {
  const spec = program(parts, 'control-plane', UIDS.controlPlane, ['node', `${IMAGE_PROGRAMS}/control-plane.cjs`], {
    Memory: 512 * MIB,
    NetworkMode: parts.network,
    Mounts: [{ Type: 'volume', Source: volume, Target: STATE_FOLDER }],
    PortBindings: { [`${PORTS.api}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(parts.plan.apiPort) }] },
  });
  return { ...spec, ExposedPorts: { [`${PORTS.api}/tcp`]: {} }, NetworkingConfig: known(parts, [CONTROL_PLANE_HOST]) };
}

export function gatewaySpec(parts: SpecParts): Spec {
  const spec = program(parts, 'gateway', UIDS.proxy, ['node', ...PROXY_FLAGS, `${IMAGE_PROGRAMS}/proxy.cjs`], {
    Memory: 192 * MIB,
    NetworkMode: parts.network,
    PortBindings: { [`${PORTS.gateway}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(parts.plan.gatewayPort) }] },
  });
  return { ...spec, ExposedPorts: { [`${PORTS.gateway}/tcp`]: {} }, NetworkingConfig: known(parts, [GATEWAY_HOST]) };
}

export function loadSpec(parts: SpecParts): Spec {
  return program(parts, 'load', UIDS.app, ['node', `${IMAGE_PROGRAMS}/load.cjs`], {
    Memory: 256 * MIB,
    NetworkMode: parts.network,
  });
}

/** An app without a pod (`--no-mesh`): on the sandbox's network under its service's name, as plain Compose runs it. */
export function plainAppSpec(parts: SpecParts, workload: WorkloadSpec): Spec {
  return onNetwork(parts, workload, [workload.app, workload.name]);
}

/** An app outside the mesh: alone on the sandbox's network, under all names of its service. */
export function outsideSpec(parts: SpecParts, workload: WorkloadSpec): Spec {
  return onNetwork(parts, workload, hostNames(workload.app));
}

function onNetwork(parts: SpecParts, workload: WorkloadSpec, names: readonly string[]): Spec {
  const spec = appSpec(parts, workload, '');
  return {
    ...spec,
    HostConfig: { ...spec.HostConfig, NetworkMode: parts.network },
    NetworkingConfig: known(parts, names),
  };
}

/** One request from where an app outside the mesh stands. */
export function probeSpec(
  parts: SpecParts,
  workload: string,
  { appId, argv }: { readonly appId: string; readonly argv: readonly string[] },
): Spec {
  const host = { Memory: 128 * MIB, NetworkMode: `container:${appId}` };
  return { ...program(parts, `${workload}/probe`, UIDS.app, argv, host), OpenStdin: false, StdinOnce: false };
}

/** The plain reverse proxy in place of gateway and sidecars, published like the gateway. */
export function baselineSpec(parts: SpecParts): Spec {
  const spec = gatewaySpec(parts);
  return {
    ...spec,
    Labels: labelsOf(parts.plan, 'baseline'),
    Cmd: ['node', `${IMAGE_PROGRAMS}/baseline.cjs`],
  };
}

/** By which names the others find it on the sandbox's network. */
function known({ network }: SpecParts, names: readonly string[]): NonNullable<Spec['NetworkingConfig']> {
  return { EndpointsConfig: { [network]: { Aliases: [...names] } } };
}
