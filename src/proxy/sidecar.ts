import { DEFAULT_SIDECAR_LIMITS } from '../model/limits.js';
import { TRUST_DOMAIN } from '../model/names.js';
import { NO_PROPAGATION } from '../model/propagation.js';
import type { SidecarConfig } from '../model/sidecar-config.js';
import type { Clock } from '../platform/clock.js';
import type { Log } from '../platform/log.js';
import { heapReading } from '../platform/memory.js';
import type { Random } from '../platform/random.js';
import { Sweeper } from '../platform/sweeper.js';
import { type AccessTable, accessTable } from './authorization/access-table.js';
import { type ExternalTable, externalTable } from './authorization/external.js';
import { makePicker } from './balancing/picker.js';
import { type BreakerEvent, Breakers } from './circuit-breaking/breakers.js';
import { headLimits } from './codec/fields.js';
import { AppClusters } from './discovery/app-clusters.js';
import { buildState, endpointKeys, type Makers, type SidecarState } from './discovery/state.js';
import type { DownstreamParts } from './downstream.js';
import { FaultLedger } from './fault-injection/ledger.js';
import { inboundPipeline } from './inbound.js';
import { InboundListener } from './inbound-listener.js';
import { LineageTable } from './lineage/table.js';
import type { ConnectionLimits } from './listener/http-connection.js';
import { MemoryGuard, type MemoryLevel, type MemoryReading } from './listener/overload.js';
import { TlsOrigination } from './mtls/originated-tls.js';
import { TlsIdentity } from './mtls/tls-identity.js';
import { outboundPipeline } from './outbound.js';
import type { OutboundListenerParts } from './outbound-listener.js';
import type { ProxyError } from './pipeline/proxy-error.js';
import { LimitTable } from './rate-limiting/rate-limit.js';
import { retryGate } from './retries/budget.js';
import { compileHost } from './routing/compile-host.js';
import { type InboundTable, inboundTable } from './routing/inbound-route.js';
import { Recorder } from './telemetry/recorder.js';
import { TokenTable } from './tokens/token-table.js';
import { type PoolLimits, UpstreamPool } from './upstream/pool.js';

export interface SidecarParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly workload: string;
  readonly edge: boolean;
  /** Where the app of a declared port listens. */
  readonly appPort: (port: number) => number;
  /** How full this process's memory is; for tests. */
  readonly memory?: () => MemoryReading;
}

/** The limits of a configuration in the words of the parts that obey them; made once, since requests ask for them. */
interface LimitsAtWork extends ConnectionLimits {
  readonly fromApp: ConnectionLimits;
  readonly toSidecars: PoolLimits;
  readonly toApp: PoolLimits;
}

function limitsAtWork({ limits, outbound }: SidecarConfig): LimitsAtWork {
  const head = headLimits(limits);
  const pool = (idleMs: number): PoolLimits => ({ ...head, interimAnswers: limits.interimAnswers, idleMs });
  const fromApp = { ...limits, head: headLimits(limits, outbound.slashes) };
  return { ...limits, head, fromApp, toSidecars: pool(limits.sidecarIdleMs), toApp: pool(limits.appIdleMs) };
}

function memoryEvent(level: MemoryLevel, percent: number): BreakerEvent {
  const share = `${Math.round(percent)} % of its memory is used`;
  const about = { service: '', workload: '', endpoint: '' };
  if (level === 'fine') return { ...about, kind: 'relieved', text: `the sidecar has memory again: ${share}` };
  const what = level === 'shed' ? 'turns requests away' : 'asks callers to close their connections';
  return { ...about, kind: 'shed', text: `the sidecar ${what}: ${share}` };
}

/** One proxy: its two pipelines, what they share, and the configuration they obey. Sockets come from outside. */
export class Sidecar {
  readonly identity: TlsIdentity;
  readonly recorder: Recorder;
  readonly faults = new FaultLedger();
  readonly outbound: OutboundListenerParts;
  readonly inbound: InboundListener;
  readonly memory: MemoryGuard;
  readonly #makers: Makers;
  readonly #breakers: Breakers;
  #rateLimits = new LimitTable([], null);
  #tokens = new TokenTable([]);
  #access: AccessTable = accessTable(undefined);
  #external: ExternalTable = [];
  #routes: InboundTable = null;
  #limits: LimitsAtWork;
  readonly #toSidecars: UpstreamPool;
  readonly #toApp: UpstreamPool;
  #state: SidecarState;
  #draining = false;

  constructor(parts: SidecarParts) {
    const { clock, random, workload } = parts;
    const sweeper = new Sweeper(clock);
    this.identity = new TlsIdentity(() => clock.now());
    this.recorder = new Recorder(clock);
    const state = (): SidecarState => this.#state;
    this.#makers = {
      host: compileHost,
      picker: (config, endpoints, load) => makePicker(config, endpoints, load, { clock, random }),
      retries: (config, load) => retryGate(config, load, clock),
      now: () => clock.monotonic(),
    };
    this.#state = buildState(emptyConfig(workload, parts.edge), null, this.#makers);
    this.#limits = limitsAtWork(this.#state.config);
    this.#toSidecars = new UpstreamPool(sweeper, () => this.#limits.toSidecars);
    this.#toApp = new UpstreamPool(sweeper, () => this.#limits.toApp);
    this.#breakers = new Breakers({ clock, random, onEvent: (event) => this.recorder.happened(workload, event) });
    this.memory = new MemoryGuard({
      clock,
      read: parts.memory ?? heapReading,
      limits: () => this.#state.config.limits,
      onChange: (level, percent) => this.recorder.happened(workload, memoryEvent(level, percent)),
    });
    const onBug = (error: ProxyError): void => parts.log.error({ error: error.stack }, 'a bug in the sidecar');
    const downstream: DownstreamParts = {
      clock,
      sweeper,
      recorder: this.recorder,
      workload,
      version: () => this.#state.config.version,
      limits: () => this.#limits,
      draining: () => this.#draining || this.memory.level !== 'fine',
    };
    const lineages = new LineageTable();
    const asked = { tokens: () => this.#tokens, access: () => this.#access };
    const origination = new TlsOrigination();
    const common = { clock, random, state, onBug, memory: this.memory, lineages, ...asked };
    this.outbound = {
      ...downstream,
      limits: () => this.#limits.fromApp,
      state,
      random,
      identity: this.identity,
      origination,
      handler: outboundPipeline({
        ...common,
        identity: this.identity,
        origination,
        pool: this.#toSidecars,
        recorder: this.recorder,
        faults: this.faults,
        workload,
        edge: parts.edge,
      }),
    };
    // What comes as requests and what comes as bytes is counted together.
    const apps = new AppClusters(parts.appPort);
    this.inbound = new InboundListener({
      ...downstream,
      state,
      identity: this.identity,
      origination,
      apps,
      access: () => this.#access,
      handler: inboundPipeline({
        ...common,
        pool: this.#toApp,
        faults: this.faults,
        rateLimits: () => this.#rateLimits,
        external: () => this.#external,
        routes: () => this.#routes,
        ask: this.outbound.handler,
        apps,
      }),
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
    const rateLimits = new LimitTable(config.inbound.rateLimits, this.#rateLimits);
    const tokens = new TokenTable(config.inbound.tokens ?? []);
    const access = accessTable(config.inbound.authorization);
    const external = externalTable(config.inbound.authorization);
    const routes = inboundTable(config.inbound.routes);
    const next = buildState(config, this.#state, this.#makers);
    const before = this.#state.config.inbound.mtls;
    this.#state = next;
    this.#rateLimits = rateLimits;
    this.#limits = limitsAtWork(config);
    this.#tokens = tokens;
    this.#access = access;
    this.#external = external;
    this.#routes = routes;
    this.#breakers.follow(next.clusters);
    if (config.inbound.mtls === 'strict' && before !== 'strict') this.inbound.endPlaintext();
    this.recorder.limit(config.exchangesPerSecond);
    this.faults.keepOnly(new Set([...config.inbound.faults, ...config.outbound.faults].map(({ name }) => name)));
    const wanted = endpointKeys(next);
    // Where TLS goes by the request's host, that stands behind the endpoint's key.
    this.#toSidecars.closeFree((key) => !wanted.has(key) && !wanted.has(key.slice(0, key.lastIndexOf(' '))));
  }

  /** From now on answers ask callers to close, and no connection is kept. */
  drain(): void {
    this.#draining = true;
  }

  /** Ends what would go on by itself: timers of breakers, the look at the memory. */
  close(): void {
    this.#breakers.close();
    this.memory.stop();
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
    inbound: { mtls: 'strict', ports: [], faults: [], rateLimits: [], callers: {} },
    outbound: {
      listeners: [],
      virtualHosts: [],
      clusters: [],
      faults: [],
      propagation: NO_PROPAGATION,
      unknownHosts: 'registry-only',
    },
    limits: DEFAULT_SIDECAR_LIMITS,
    exchangesPerSecond: 200,
  };
}
