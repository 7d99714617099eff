import type { Server } from 'node:tls';
import { GATEWAY } from '../compiler/compile.js';
import { retryPolicy } from '../compiler/retry-policy.js';
import { workloadsOf } from '../model/app.js';
import type { Explanation } from '../model/explanation.js';
import { type Flavor, flavorOf, flavorText } from '../model/flavor.js';
import type { MeshConfig } from '../model/mesh-config.js';
import type { EdgeDelta, PartUsage } from '../model/metrics.js';
import { hostNames } from '../model/names.js';
import { nearest } from '../model/nearest.js';
import type { Incident } from '../model/timeline.js';
import type { Clock } from '../platform/clock.js';
import type { Log } from '../platform/log.js';
import type {
  DescribedRequestInput,
  EndpointReport,
  FaultView,
  Features,
  LoadStatus,
  MeshEvent,
  Notice,
  ServiceView,
  Status,
  WorkloadView,
} from '../protocol/api-types.js';
import type { ControlPlaneBootstrap } from '../protocol/bootstrap.js';
import type { Hello, MetricsReport, ToControlPlane } from '../protocol/control-stream.js';
import type { FaultInput } from '../protocol/fault-input.js';
import { tellSimulation } from '../simulate/sentences.js';
import { simulate } from '../simulate/simulate.js';
import { ApiProblem } from './api/problem.js';
import { Identities, LOAD } from './authority/identities.js';
import { JoinTokens } from './authority/join-tokens.js';
import { Publisher } from './distribution/publisher.js';
import { serveControlStream, type WorkloadStream } from './distribution/stream-server.js';
import { FaultBook } from './fault-book.js';
import { LoadSettings } from './load-settings.js';
import { directPorts } from './registry/direct-ports.js';
import { accepts } from './registry/reachable.js';
import { Registry, type WorkloadRecord } from './registry/registry.js';
import { PolicyDesk } from './resources/desk.js';
import { ResourceStore } from './resources/store.js';
import { StateFile } from './state-file.js';
import { Costs } from './telemetry/costs.js';
import { EdgeWindows } from './telemetry/edge-windows.js';
import { ExchangeStore } from './telemetry/exchange-store.js';
import { Prometheus } from './telemetry/prometheus.js';

/** How long a change may take until every connected sidecar obeys it, ms. */
const SETTLE_MS = 5_000;
const NOTICES = 200;
const INCIDENTS = 2_000;

/** Everything that one sandbox's control plane knows and does; the API is a view of it. */
export class ControlPlane {
  readonly exchanges: ExchangeStore;
  readonly edges: EdgeWindows;
  readonly prometheus: Prometheus;
  readonly tokens: JoinTokens;
  readonly identities: Identities;
  readonly bootstrap: ControlPlaneBootstrap;
  readonly notices: Notice[] = [];
  /** What sidecars did on their own, oldest first. */
  readonly timeline: Incident[] = [];
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #publisher: Publisher;
  readonly #state: StateFile;
  readonly #startedAt: number;
  readonly #listeners = new Set<(event: MeshEvent) => void>();
  readonly #costs: Costs;
  readonly #faults: FaultBook;
  readonly #load: LoadSettings;
  readonly #flavor: Flavor;
  readonly #resources: ResourceStore;
  readonly policies: PolicyDesk;
  #features: Features;
  #server: Server | null = null;

  private constructor(parts: { bootstrap: ControlPlaneBootstrap; identities: Identities; clock: Clock; log: Log }) {
    const { bootstrap, clock, log } = parts;
    this.bootstrap = bootstrap;
    this.identities = parts.identities;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.tokens = new JoinTokens(clock);
    this.exchanges = new ExchangeStore(clock);
    this.edges = new EdgeWindows(clock);
    this.prometheus = new Prometheus(bootstrap.app);
    this.#state = new StateFile(bootstrap.stateDir, log);
    const stored = this.#state.read();
    this.#costs = new Costs(clock);
    this.#faults = new FaultBook(bootstrap.app, stored?.faults ?? [], () => clock.now());
    this.#load = new LoadSettings(stored?.loadRps ?? bootstrap.loadRps, bootstrap.app.load.paths);
    this.#features = stored?.features ?? bootstrap.features;
    this.#registry = new Registry(bootstrap.app, GATEWAY, clock, () => this.#changed());
    this.#publisher = new Publisher(
      {
        clock,
        mesh: () => this.#mesh(),
        ready: () => this.#registry.ready(),
        record: (name) => this.#registry.get(name),
        onVersion: () => this.#store(),
      },
      stored?.version ?? 0,
    );
    this.#flavor = flavorOf(bootstrap.flavor);
    this.#resources = new ResourceStore(stored?.resources ?? [], this.#flavor.name);
    this.policies = new PolicyDesk({
      app: bootstrap.app,
      flavor: this.#flavor.name,
      clock,
      store: this.#resources,
      publisher: this.#publisher,
      settleMs: SETTLE_MS,
      onChange: () => this.#store(),
    });
    if (stored !== null) this.#registry.restore(stored.endpoints);
  }

  /** Opens the authority and the control stream's listener. */
  static async start(bootstrap: ControlPlaneBootstrap, clock: Clock, log: Log): Promise<ControlPlane> {
    const identities = await Identities.open({ ...bootstrap, flavor: flavorOf(bootstrap.flavor) }, clock);
    const plane = new ControlPlane({ bootstrap, identities, clock, log });
    plane.#server = await serveControlStream(
      {
        identities,
        tokens: plane.tokens,
        clock,
        log,
        events: {
          onHello: (stream, hello) => plane.#onHello(stream, hello),
          onMessage: (stream, message) => plane.#onMessage(stream, message),
          onGone: (stream) => plane.#onGone(stream),
        },
      },
      bootstrap.control,
    );
    plane.#publisher.publish();
    return plane;
  }

  /** Stops listening and ends every stream; sidecars go on with what they have. */
  close(): void {
    this.#state.close();
    this.#server?.close();
    this.#publisher.close();
    this.#load.close();
  }

  /** Calls back on everything that happens; the result ends it. */
  subscribe(listener: (event: MeshEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): Status {
    const workloads = this.workloads();
    const ready = workloads.filter(
      (view) => ['connected', 'none'].includes(view.sidecar) && view.appReady && isCurrent(view),
    );
    return {
      sandbox: this.bootstrap.sandbox,
      app: this.bootstrap.app.name,
      runtime: this.bootstrap.runtime,
      gatewayUrl: this.bootstrap.gatewayUrl,
      version: this.#publisher.version,
      seed: this.bootstrap.seed,
      flavor: flavorText(this.#flavor),
      startedAt: this.#startedAt,
      ready: ready.length === workloads.length && !this.#publisher.pending,
      workloads: { total: workloads.length, ready: ready.length },
      features: this.#features,
      load: this.load(),
    };
  }

  workloads(): WorkloadView[] {
    return this.#registry.all().map((record) => this.#workloadView(record));
  }

  services(): ServiceView[] {
    const { app } = this.bootstrap;
    return app.services.map((service) => {
      const settings = app.settings[service.name];
      const policy = this.#features.retries ? retryPolicy(service.name, settings?.retries ?? null, this.#flavor) : null;
      return {
        name: service.name,
        hosts: hostNames(service.host, service.namespace),
        virtualIp: service.virtualIp,
        ports: service.ports,
        workloads: workloadsOf(service, app.workloads).map(({ name }) => name),
        retries: policy === null ? null : { attempts: policy.attempts, retryOn: policy.retryOn, origin: policy.origin },
        timeoutMs: settings?.timeoutMs ?? this.#flavor.timeoutMs,
      };
    });
  }

  snapshot(): { version: number; configs: Record<string, unknown> } {
    return { version: this.#publisher.version, configs: Object.fromEntries(this.#publisher.configs) };
  }

  /** What would happen to a request that is only described. Throws ApiProblem for a caller that there is not. */
  explainRequest(
    input: { readonly [K in keyof DescribedRequestInput]: DescribedRequestInput[K] | undefined },
  ): Explanation {
    const { from = '', to = '', method = 'GET', path = '/', headers = [] } = input;
    const caller = this.workloads().find(({ name, app }) => name === from || app === from)?.name ?? from;
    const config = this.#publisher.configs.get(caller);
    if (config === undefined) {
      const names = [...this.#publisher.configs.keys()];
      const close = nearest(from, names);
      throw new ApiProblem(
        404,
        `no workload ${JSON.stringify(from)} has a sidecar`,
        close === null ? `there are: ${names.join(', ')}` : `did you mean ${close}?`,
      );
    }
    const [host = '', port] = to.split(/:(?=\d+$)/);
    const request = { from: caller, host, port: port === undefined ? null : Number(port), method, path, headers };
    const inboundOf = (workload: string) => this.#publisher.configs.get(workload)?.inbound ?? null;
    return tellSimulation(request, simulate(request, config, inboundOf));
  }

  faults(): FaultView[] {
    return this.#faults.views(this.#allCurrent(), this.#resources.policies.faults);
  }

  /** Adds a fault and resolves when every connected sidecar obeys. Rejects with ApiProblem. */
  async addFault(input: FaultInput): Promise<FaultView> {
    const name = this.#faults.add(input);
    await this.#faultsChanged();
    return this.#faults.view(name, this.#allCurrent());
  }

  async updateFault(name: string, enabled: boolean): Promise<FaultView> {
    this.#faults.enable(name, enabled);
    await this.#faultsChanged();
    return this.#faults.view(name, this.#allCurrent());
  }

  async removeFaults(name: string | null): Promise<number> {
    const removed = this.#faults.remove(name);
    await this.#faultsChanged();
    return removed;
  }

  get features(): Features {
    return this.#features;
  }

  async setFeatures(change: Partial<Features>): Promise<Features> {
    this.#features = { ...this.#features, ...change };
    this.#store();
    this.#publisher.publish();
    await this.#publisher.settled(SETTLE_MS);
    this.emit({ type: 'status', status: this.status() });
    return this.#features;
  }

  load(): LoadStatus {
    return this.#load.status;
  }

  setLoad(change: { readonly rps?: number | undefined; readonly paths?: readonly string[] | undefined }): LoadStatus {
    this.#load.set(change);
    this.#store();
    this.emit({ type: 'status', status: this.status() });
    return this.load();
  }

  mintTokens(workloads: readonly string[]): Record<string, string> {
    return Object.fromEntries(
      workloads.map((workload) => {
        if (this.identities.of(workload) === null)
          throw new ApiProblem(400, `unknown workload ${JSON.stringify(workload)}`);
        return [workload, this.tokens.mint(workload)];
      }),
    );
  }

  reportUsage(usage: readonly PartUsage[]): void {
    this.#costs.addUsage(usage);
    this.emit({ type: 'workloads', workloads: this.workloads() });
  }

  /** Throws ApiProblem when the workload is none, or tells of itself through its sidecar. */
  reportEndpoint({ workload, ...endpoint }: EndpointReport): void {
    this.#mustStandOutside(workload);
    this.#registry.reported(workload, endpoint);
  }

  /** Tries all ports of an app outside the mesh from here: on Docker only the sandbox's own network leads there. */
  async probeEndpoint({ workload, address, ports }: Omit<EndpointReport, 'ready'>): Promise<boolean> {
    this.#mustStandOutside(workload);
    return (await Promise.all(Object.values(ports).map((port) => accepts(address, port)))).every(Boolean);
  }

  reportPart(part: string, event: 'died' | 'restarted' | 'gave-up', detail: string): void {
    const [workload, kind] = part.split('/');
    const record = this.#registry.get(workload ?? '');
    if (event === 'restarted' && record !== undefined) {
      if (kind === 'app') record.restarts.app++;
      else record.restarts.sidecar++;
    }
    this.notice(
      event === 'restarted' ? 'info' : 'warning',
      `${part} ${event === 'gave-up' ? 'does not come back' : event}${detail === '' ? '' : `: ${detail}`}`,
    );
  }

  notice(level: Notice['level'], text: string): void {
    const notice = { at: this.#clock.now(), level, text };
    this.notices.push(notice);
    if (this.notices.length > NOTICES) this.notices.shift();
    this.emit({ type: 'notice', notice });
  }

  emit(event: MeshEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async #faultsChanged(): Promise<void> {
    this.#store();
    this.#publisher.publish();
    await this.#publisher.settled(SETTLE_MS);
    this.emit({ type: 'faults', faults: this.faults() });
  }

  #allCurrent(): boolean {
    return this.workloads().every(isCurrent);
  }

  #mesh(): MeshConfig {
    const { app, seed } = this.bootstrap;
    const { mtls, retries } = this.#features;
    return {
      app,
      seed,
      mtls,
      retries,
      faults: [...this.#faults.all, ...this.#resources.policies.faults],
      flavor: this.#flavor,
      trustDomain: this.identities.naming.trustDomain,
      policies: this.#resources.policies,
    };
  }

  #changed(): void {
    this.#publisher.publish();
    this.#store();
    this.emit({ type: 'workloads', workloads: this.workloads() });
  }

  #store(): void {
    this.#state.write({
      version: this.#publisher.version,
      faults: this.#faults.all,
      features: this.#features,
      loadRps: this.#load.status.rps,
      endpoints: this.#registry.store(),
      resources: this.#resources.store(),
    });
  }

  #onHello(stream: WorkloadStream, hello: Hello): void {
    if (stream.workload === LOAD) {
      this.#load.attach(stream);
      return;
    }
    this.#registry.connected(stream.workload, { ...hello, address: stream.address });
    this.#publisher.attach(stream, hello.version);
  }

  #onGone(stream: WorkloadStream): void {
    this.#load.detach(stream);
    if (this.#publisher.detach(stream)) this.#registry.disconnected(stream.workload);
  }

  #onMessage(stream: WorkloadStream, message: ToControlPlane): void {
    const { workload } = stream;
    switch (message.type) {
      case 'ack':
        this.#publisher.acknowledged(workload, message.version, null);
        return;
      case 'nack':
        this.#publisher.acknowledged(workload, message.version, message.reason);
        this.notice('error', `${workload} refused configuration ${message.version}: ${message.reason}`);
        return;
      case 'health':
        this.#registry.appReady(workload, message.appReady);
        return;
      case 'ports':
        this.#registry.ports(workload, message.listenPorts);
        return;
      case 'metrics':
        this.#onMetrics(workload, message);
        return;
      case 'exchanges':
        if (message.exchanges.some(({ reporter }) => reporter.workload !== workload))
          throw new Error('a workload reports what it saw itself');
        this.exchanges.add(message.exchanges);
        this.emit({ type: 'exchanges', exchanges: message.exchanges, dropped: message.dropped });
        return;
      case 'incidents':
        if (message.incidents.some(({ reporter }) => reporter !== workload))
          throw new Error('a workload reports what it did itself');
        this.#onIncidents(message.incidents);
        return;
      case 'load-report':
        this.#load.count(message);
        return;
      default:
        throw new Error('this message does not belong here');
    }
  }

  #onIncidents(incidents: readonly Incident[]): void {
    this.timeline.push(...incidents);
    this.timeline.splice(0, this.timeline.length - INCIDENTS);
    this.emit({ type: 'incidents', incidents });
  }

  #onMetrics(workload: string, report: MetricsReport): void {
    // A workload's figures are about itself; what it says of others is nobody's.
    const edges = report.edges.filter((edge) => [workload, ''].includes(ownSideOf(edge)));
    const attempts = report.attempts.filter(({ source }) => source === workload);
    this.edges.add(edges, attempts);
    this.prometheus.add(edges);
    this.#faults.countHits(report.faultHits);
    this.#costs.addReport(workload, report);
  }

  #mustStandOutside(workload: string): void {
    if (this.#registry.get(workload)?.role === 'none') return;
    throw new ApiProblem(400, `${JSON.stringify(workload)} is no workload outside the mesh`);
  }

  /** Where interception is not needed, calls of an app outside the mesh are not intercepted either, but pointed somewhere. */
  #directPorts(record: WorkloadRecord): Readonly<Record<string, number>> {
    if (record.role !== 'none' || this.bootstrap.runtime !== 'local') return {};
    return directPorts(this.bootstrap.app, this.#registry.all());
  }

  #workloadView(record: WorkloadRecord): WorkloadView {
    const { name, spec } = record;
    const certificate = this.identities.certificateOf(name);
    const { spiffeId, dnsNames } = this.identities.of(name) ?? NOBODY;
    const sidecarPart = record.role === 'gateway' ? name : `${name}/sidecar`;
    return {
      name,
      app: spec?.app ?? name,
      version: spec?.version ?? 'v1',
      role: record.role,
      spiffeId,
      dnsNames,
      address: record.address,
      sidecar: record.sidecar,
      appReady: record.appReady,
      ackedVersion: record.ackedVersion,
      wantedVersion: record.wantedVersion,
      nack: record.nack,
      certificate:
        certificate === undefined
          ? null
          : { notBefore: certificate.notBefore, notAfter: certificate.notAfter, serial: certificate.serial },
      restarts: { ...record.restarts },
      usage: { sidecar: this.#costs.usageOf(sidecarPart), app: this.#costs.usageOf(`${name}/app`) },
      cpuMicrosPerRequest: this.#costs.cpuPerRequest(name),
      listenPorts: { ...record.listenPorts, ...this.#directPorts(record) },
    };
  }
}

const NOBODY = { spiffeId: '', dnsNames: [] };

function ownSideOf({ direction, source, destination }: EdgeDelta): string {
  return direction === 'inbound' ? destination : source;
}

/** Obeys what is meant for it; without a sidecar nothing is. */
function isCurrent({ role, wantedVersion, ackedVersion }: WorkloadView): boolean {
  return role === 'none' || (wantedVersion > 0 && ackedVersion >= wantedVersion);
}
