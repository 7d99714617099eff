import type { Cluster, Endpoint } from '../../model/cluster.js';
import type { FailureCode } from '../../model/failure.js';

/**
 * A cluster at work: its configuration, its endpoints, and the parts that features made for it. A new configuration makes
 * new ones; what is counted (`load`, endpoints that stay) is carried over.
 */
export interface ClusterState {
  readonly config: Cluster;
  readonly endpoints: readonly EndpointState[];
  readonly load: ClusterLoad;
  readonly picker: Picker;
  readonly retries: RetryGate;
}

/** What is in flight in a whole cluster from this sidecar. */
export class ClusterLoad {
  /** Requests on a connection. */
  requests = 0;
  /** Requests that wait for one. */
  pending = 0;
  /** Connections that are open or being opened. */
  connections = 0;
  /** Retries that were decided and are not over. */
  retries = 0;
  /** Position of round robin. */
  turn = 0;
}

/** What of a try decides about its endpoint; an `AttemptCall` is one. */
export interface Choice {
  /** 1 = the first try. */
  readonly number: number;
  readonly routed: {
    /** What consistent hashing goes by; null = chance. */
    readonly hash: bigint | null;
    readonly call: { readonly record: { readonly requestId: string } };
  };
}

/** Chooses among the endpoints of a cluster. */
export interface Picker {
  /** The endpoint for a try, or null when none may be asked. `draw` counts the choices that were thrown away before. */
  pick(attempt: Choice, draw: number): EndpointState | null;
  /** An endpoint was put aside or brought back. */
  availabilityChanged(): void;
}

/** Admits retries as far as the cluster's budget goes. */
export interface RetryGate {
  /** A request begins: budgets over time grow by it. */
  began(): void;
  /** Whether one more retry may go out; it counts until {@link ended}. */
  admit(): boolean;
  ended(): void;
}

/** An endpoint at work; the same object as long as its address and the cluster's expectations of it stay. */
export class EndpointState {
  /** The newest configuration of it. */
  config: Endpoint;
  /** `address:port`. */
  readonly address: string;
  /** Cluster, address, port and TLS expectation: which pooled connections may be used. */
  readonly key: string;
  /** Monotonic ms since when it has been an endpoint. */
  readonly since: number;
  /** Requests in flight from this sidecar. */
  active = 0;
  /** False while it is put aside. */
  available = true;
  /** Watches what it answers; null = nobody does. */
  watch: EndpointWatch | null = null;
  /** Estimates its latency; null = nobody wants to know. */
  latency: LatencyEstimate | null = null;

  constructor(config: Endpoint, key: string, since: number) {
    this.config = config;
    this.address = `${config.address}:${config.port}`;
    this.key = key;
    this.since = since;
  }
}

/** What came of a try at an endpoint: the status it answered, or why it did not. */
export type EndpointOutcome = number | FailureCode;

export interface EndpointWatch {
  /** It was chosen for a try. */
  chosen(): void;
  /** A try at it is over. */
  ended(outcome: EndpointOutcome): void;
}

export interface LatencyEstimate {
  /** ms, as it is believed now. */
  read(): number;
  observe(ms: number): void;
}
