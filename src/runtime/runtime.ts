import type { AppSpec } from '../model/app.js';
import type { PartUsage } from '../model/metrics.js';

/**
 * The one interface behind which a sandbox runs: `docker` (pods in network namespaces) or `local` (child processes).
 * A sandbox consists of *parts*: `control-plane`, `gateway`, `load`, and per workload `<workload>/sidecar` and
 * `<workload>/app`; without a mesh of `baseline`, `load` and apps. Whatever else an engine needs (pause and init containers, networks) is its own affair.
 */
export type RuntimeKind = 'docker' | 'local';

export interface SandboxIdentity {
  /** Random, unique on this machine; part of every name and label. */
  readonly id: string;
  /** What the user calls it. */
  readonly name: string;
  /** Install uuid: whose sandboxes may be touched. */
  readonly owner: string;
}

/** What the runtime must know before it creates anything. */
export interface SandboxPlan extends SandboxIdentity {
  readonly app: AppSpec;
  /** Port on 127.0.0.1 under which the gateway is published. */
  readonly gatewayPort: number;
  /** Port on 127.0.0.1 under which the control plane's API is published. */
  readonly apiPort: number;
  /** Directory (0700) of this sandbox on the host: state, logs. */
  readonly directory: string;
}

export type PartName = string;

/** Where parts find each other, known once the network exists. */
export interface Addresses {
  /** How sidecars dial the control plane's stream. */
  readonly controlPlane: { readonly host: string; readonly port: number };
  /** What the control plane binds. */
  readonly controlListen: { readonly host: string; readonly port: number };
  readonly apiListen: { readonly host: string; readonly port: number };
  /** Directory for the control plane's state, as its process sees it. */
  readonly controlStateDir: string;
  /** What the gateway binds, and how the load generator dials it. */
  readonly gatewayListen: { readonly host: string; readonly port: number };
  readonly gatewayUrl: string;
  /** What sidecars bind. */
  readonly bindHost: string;
  readonly interception: 'transparent' | 'explicit';
  /** Where the app of a workload really listens, by declared port. */
  readonly appPorts: (workload: string) => readonly { readonly port: number; readonly target: number }[];
}

export interface PartExit {
  readonly part: PartName;
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An engine that was found and answers. */
export interface Runtime {
  readonly kind: RuntimeKind;
  /** One line for people: which engine, where, and why it was chosen. */
  readonly description: string;
  /** Makes the image present (Docker); says what it does. Returns one line about what is used. */
  prepare(progress: (text: string) => void): Promise<string>;
  /** Binds to one sandbox; creates nothing. */
  sandbox(plan: SandboxPlan): SandboxHost;
  /** Removes everything that carries this owner's label and this sandbox id; idempotent. Returns what it removed. */
  remove(identity: SandboxIdentity, directory: string): Promise<readonly string[]>;
  /** Which container publishes a port of this machine, for people; null when none does. */
  publisherOf?(port: number): Promise<string | null>;
  /** Sandboxes of this owner that have left anything in the engine, with or without a state file. */
  find(owner: string): Promise<readonly { readonly id: string; readonly name: string; readonly running: boolean }[]>;
}

/** The parts of one sandbox. Every method may throw a `SandboxError` with a next step. */
export interface SandboxHost {
  /** Network and whatever else must exist first. */
  open(): Promise<Addresses>;
  /**
   * Creates the pod of a workload (network namespace and interception) and its parts, stopped. Outside the mesh it is the
   * app alone: its own calls are not intercepted, and reach some instance of the service that they name.
   */
  createPod(workload: string): Promise<void>;
  /**
   * Creates a part outside pods, stopped: `control-plane`, `gateway`, `load`; without a mesh also `baseline` and
   * `<workload>/app`.
   */
  createPart(part: PartName): Promise<void>;
  /**
   * Starts a part. Programs of ours get `bootstrap` as one line on standard input; apps get null. `listenPorts`: where the
   * workload's calls are expected (`explicit` interception: at its own sidecar, or straight at others), so that the app's environment can be pointed at it.
   */
  start(part: PartName, bootstrap: string | null, listenPorts?: Readonly<Record<string, number>>): Promise<void>;
  /** Ends a part: the signal first, SIGKILL after the grace period. */
  stop(part: PartName, graceMs: number): Promise<void>;
  /** Sends a signal and returns. */
  signal(part: PartName, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /**
   * Calls back whenever a part ended, wanted or not; for a pod's namespace with part `<workload>/pod`. `onLost`: the engine
   * stopped answering; what ended meanwhile is told when it is back.
   */
  watch(onExit: (exit: PartExit) => void, onLost?: (error: SandboxError) => void): Promise<{ close(): void }>;
  /** Where the app of a workload outside the mesh is, for the others; rejects while it does not run. */
  addressOf(workload: string): Promise<string>;
  /** CPU and memory per running part. */
  usage(): Promise<readonly PartUsage[]>;
  /** Lines of a part's standard output and error, oldest first. */
  logs(
    part: PartName,
    options: { readonly tail: number; readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<string>;
  /** Runs the bundled probe (`probe.js`) with a JSON argument from inside the workload, so that its traffic meets the sidecar as the app's does. */
  probe(workload: string, request: ProbeRequest, listenPorts: Readonly<Record<string, number>>): Promise<ExecResult>;
}

export interface ProbeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
  readonly timeoutMs: number;
  /** So many requests, one after the other, each with a number behind its `x-request-id`; absent = one, without. */
  readonly times?: number;
}

/** Something went wrong that a person can mend: what, why, and what to type next. */
export class SandboxError extends Error {
  readonly hints: readonly string[];
  constructor(message: string, hints: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = 'SandboxError';
    this.hints = hints;
  }
}
