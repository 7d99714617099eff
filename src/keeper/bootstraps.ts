import { randomBytes } from 'node:crypto';
import type { ControlPlaneBootstrap, LoadBootstrap, SidecarBootstrap } from '../protocol/bootstrap.js';
import type { KeeperPlan } from '../protocol/keeper-messages.js';
import type { Addresses } from '../runtime/runtime.js';

/** What the parts are told when they start, made from the plan and the addresses that the runtime gave. */
export function controlPlaneBootstrap(plan: KeeperPlan, addresses: Addresses): ControlPlaneBootstrap {
  return {
    program: 'control-plane',
    lifeline: plan.runtime.kind === 'local',
    sandbox: { id: plan.id, name: plan.name },
    runtime: plan.runtime.kind,
    app: plan.app,
    seed: plan.seed,
    features: plan.features,
    loadRps: plan.loadRps,
    apiToken: plan.apiToken,
    control: addresses.controlListen,
    api: addresses.apiListen,
    publishedApiPort: plan.apiPort,
    gatewayUrl: `http://127.0.0.1:${plan.gatewayPort}`,
    stateDir: addresses.controlStateDir,
    flavor: plan.flavor,
    leafMs: plan.leafMs,
  };
}

/** What changes from start to start of a workload's part. */
export interface Start {
  readonly workload: string;
  readonly joinToken: string;
  readonly trustBundle: string;
  readonly incarnation: number;
  /** Ports to take again (`explicit` interception). */
  readonly listenPorts: Readonly<Record<string, number>>;
}

export function sidecarBootstrap(plan: KeeperPlan, addresses: Addresses, start: Start): SidecarBootstrap {
  const gateway = start.workload === 'gateway';
  return {
    ...joinPart(plan, addresses, start),
    program: gateway ? 'gateway' : 'sidecar',
    interception: addresses.interception,
    appPorts: gateway ? [] : addresses.appPorts(start.workload),
    gateway: gateway ? addresses.gatewayListen : null,
    listenPorts: start.listenPorts,
    bindHost: addresses.bindHost,
  };
}

export function loadBootstrap(plan: KeeperPlan, addresses: Addresses, start: Start): LoadBootstrap {
  return { ...joinPart(plan, addresses, start), program: 'load', gatewayUrl: addresses.gatewayUrl, fixed: null };
}

function joinPart(plan: KeeperPlan, addresses: Addresses, start: Start) {
  return {
    lifeline: plan.runtime.kind === 'local',
    workload: start.workload,
    controlPlane: addresses.controlPlane,
    trustBundle: start.trustBundle,
    joinToken: start.joinToken,
    seed: plan.seed,
    incarnation: start.incarnation,
  };
}

/** A token for the public API: 256 random bits. */
export function newApiToken(): string {
  return randomBytes(32).toString('base64url');
}
