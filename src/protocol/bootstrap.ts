import type { AppSpec } from '../model/app.js';
import type { Features } from './api-types.js';
import type { LoadConfig } from './control-stream.js';

/**
 * What a program of ours is told when it starts: one JSON line on standard input, the same on both runtimes, so that no
 * secret ever stands in an argument, an environment variable or a file.
 */
export type Bootstrap = ControlPlaneBootstrap | SidecarBootstrap | LoadBootstrap | BaselineBootstrap;

interface CommonBootstrap {
  /** True = end when standard input ends (local runtime: the keeper is gone). */
  readonly lifeline: boolean;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface ControlPlaneBootstrap extends CommonBootstrap {
  readonly program: 'control-plane';
  readonly sandbox: { readonly id: string; readonly name: string };
  readonly runtime: 'docker' | 'local';
  readonly app: AppSpec;
  readonly seed: number;
  readonly features: Features;
  readonly loadRps: number;
  readonly apiToken: string;
  readonly control: HostPort;
  readonly api: HostPort;
  /** Host port under which the API is published; part of the Host allow-list. */
  readonly publishedApiPort: number;
  /** North-south URL for people, e.g. `http://127.0.0.1:8080`. */
  readonly gatewayUrl: string;
  /** Directory (0700) for the CA and the stored state: survives a restart of the process. */
  readonly stateDir: string;
  /** Whose defaults hold: `istio`, `linkerd`, `consul`, `istio@1.23`. */
  readonly flavor: string;
  /** Life of a workload's certificate, ms; null = one hour. */
  readonly leafMs: number | null;
}

/** What every process with an identity needs to join. */
export interface JoinBootstrap extends CommonBootstrap {
  readonly workload: string;
  readonly controlPlane: HostPort;
  /** PEM of the roots that the control plane's certificate must chain to. */
  readonly trustBundle: string;
  /** One-time, short-lived. */
  readonly joinToken: string;
  readonly seed: number;
  /** How often this part was started before: with the seed it names the stream of ids, so that none repeats. */
  readonly incarnation: number;
}

export interface SidecarBootstrap extends JoinBootstrap {
  readonly program: 'sidecar' | 'gateway';
  /**
   * `transparent`: iptables sends traffic to 15001/15006, the original destination is read from the socket (Docker).
   * `explicit`: one loopback listener per destination and per app port (local).
   */
  readonly interception: 'transparent' | 'explicit';
  /** Where each declared port of the app really listens: `9080` → 127.0.0.1:41001 (local), or the same port (Docker). */
  readonly appPorts: readonly { readonly port: number; readonly target: number }[];
  /** North-south listener (gateway only). */
  readonly gateway: HostPort | null;
  /** Ports to take again after a restart (`explicit` only): by `in:<port>` and `out:<service>:<port>`. */
  readonly listenPorts: Readonly<Record<string, number>>;
  /** Host that listeners bind: 0.0.0.0 inside a container, 127.0.0.1 on the local runtime. */
  readonly bindHost: string;
}

export interface LoadBootstrap extends JoinBootstrap {
  readonly program: 'load';
  readonly gatewayUrl: string;
  /** Without a mesh there is nobody to ask: what to send from start to end. Null = the control plane says. */
  readonly fixed: LoadConfig | null;
}

/** The plain reverse proxy of `up --no-mesh`. */
export interface BaselineBootstrap extends CommonBootstrap {
  readonly program: 'baseline';
  readonly listen: HostPort;
  /** `http://host:port` of the service behind it. */
  readonly target: string;
}
