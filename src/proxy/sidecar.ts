import { TRUST_DOMAIN } from '../model/names.js';
import type { SidecarConfig } from '../model/sidecar-config.js';
import type { Clock } from '../platform/clock.js';
import type { Log } from '../platform/log.js';
import type { Random } from '../platform/random.js';
import { Sweeper } from '../platform/sweeper.js';
import { buildState, endpointKeys, type SidecarState } from './discovery/state.js';
import type { DownstreamParts } from './downstream.js';
import { FaultLedger } from './fault-injection/fault.js';
import { inboundPipeline } from './inbound.js';
import { InboundListener } from './inbound-listener.js';
import { TlsIdentity } from './mtls/tls-identity.js';
import { outboundPipeline } from './outbound.js';
import type { OutboundListenerParts } from './outbound-listener.js';
import type { ProxyError } from './pipeline/proxy-error.js';
import { compileHost } from './routing/compile-host.js';
import { Recorder } from './telemetry/recorder.js';
import { IDLE_MS, UpstreamPool } from './upstream/pool.js';

export interface SidecarParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly workload: string;
  readonly edge: boolean;
  /** Where the app of a declared port listens. */
  readonly appPort: (port: number) => number;
}

/** One proxy: its two pipelines, what they share, and the configuration they obey. Sockets come from outside. */
export class Sidecar {
  readonly identity: TlsIdentity;
  readonly recorder: Recorder;
  readonly faults = new FaultLedger();
  readonly outbound: OutboundListenerParts;
  readonly inbound: InboundListener;
  readonly #toSidecars: UpstreamPool;
  readonly #toApp: UpstreamPool;
  #state: SidecarState;
  #draining = false;

  constructor(parts: SidecarParts) {
    const { clock, random, workload } = parts;
    const sweeper = new Sweeper(clock);
    this.identity = new TlsIdentity(TRUST_DOMAIN, () => clock.now());
    this.recorder = new Recorder(clock);
    this.#toSidecars = new UpstreamPool(sweeper, IDLE_MS.sidecar);
    this.#toApp = new UpstreamPool(sweeper, IDLE_MS.app);
    this.#state = buildState(emptyConfig(workload, parts.edge), null, compileHost);
    const state = (): SidecarState => this.#state;
    const onBug = (error: ProxyError): void => parts.log.error({ error: error.stack }, 'a bug in the sidecar');
    const downstream: DownstreamParts = {
      clock,
      sweeper,
      recorder: this.recorder,
      workload,
      version: () => this.#state.config.version,
      draining: () => this.#draining,
    };
    const common = { clock, random, state, onBug };
    this.outbound = {
      ...downstream,
      state,
      random,
      identity: this.identity,
      handler: outboundPipeline({
        ...common,
        identity: this.identity,
        pool: this.#toSidecars,
        recorder: this.recorder,
        workload,
        edge: parts.edge,
      }),
    };
    this.inbound = new InboundListener({
      ...downstream,
      state,
      identity: this.identity,
      appPort: parts.appPort,
      handler: inboundPipeline({ ...common, pool: this.#toApp, faults: this.faults, appPort: parts.appPort }),
    });
  }

  get state(): SidecarState {
    return this.#state;
  }

  /** Requests that have not been answered whole. */
  get inFlight(): number {
    return this.#toSidecars.busy + this.#toApp.busy;
  }

  get upstreamConnections(): number {
    return this.#toSidecars.size + this.#toApp.size;
  }

  /**
   * Builds a new configuration completely, then swaps it in one assignment. Throws when it cannot be obeyed or is older
   * than the present one; the present one then goes on.
   */
  apply(config: SidecarConfig): void {
    const current = this.#state.config.version;
    if (config.version < current)
      throw new Error(`version ${config.version} is older than ${current}, which is obeyed`);
    const next = buildState(config, this.#state, compileHost);
    const before = this.#state.config.inbound.mtls;
    this.#state = next;
    if (config.inbound.mtls === 'strict' && before !== 'strict') this.inbound.endPlaintext();
    this.recorder.limit(config.exchangesPerSecond);
    this.faults.keepOnly(new Set(config.inbound.faults.map(({ name }) => name)));
    const wanted = endpointKeys(next);
    this.#toSidecars.closeFree((key) => !wanted.has(key));
  }

  /** From now on answers ask callers to close, and no connection is kept. */
  drain(): void {
    this.#draining = true;
  }
}

/** What a sidecar obeys before the first configuration: nothing goes anywhere. */
function emptyConfig(workload: string, edge: boolean): SidecarConfig {
  return {
    version: 0,
    workload: { name: workload, app: workload, version: '', spiffeId: '' },
    trustDomain: TRUST_DOMAIN,
    seed: 0,
    role: edge ? 'gateway' : 'sidecar',
    inbound: { mtls: 'strict', ports: [], faults: [], callers: {} },
    outbound: { listeners: [], virtualHosts: [], clusters: [], unknownHosts: 'registry-only' },
    exchangesPerSecond: 200,
  };
}
