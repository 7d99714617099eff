import type { AppSpec, WorkloadSpec } from '../../model/app.js';
import type { ReadyEndpoint } from '../../model/mesh-config.js';
import type { Clock } from '../../platform/clock.js';
import type { WorkloadView } from '../../protocol/api-types.js';

/** What the control plane knows of one workload; changed only by {@link Registry}. */
export interface WorkloadRecord {
  readonly name: string;
  readonly spec: WorkloadSpec | null;
  readonly role: WorkloadView['role'];
  sidecar: WorkloadView['sidecar'];
  address: string;
  appReady: boolean;
  listenPorts: Readonly<Record<string, number>>;
  ackedVersion: number;
  wantedVersion: number;
  nack: string | null;
  restarts: { sidecar: number; app: number };
  /** Until then a silent workload still counts as an endpoint (epoch ms). */
  trustedUntil: number;
}

/** What survives a restart of the control plane: endpoints that were ready, believed until their sidecars are back. */
export interface StoredEndpoint {
  readonly workload: string;
  readonly address: string;
  readonly listenPorts: Readonly<Record<string, number>>;
}

/** Where an app outside the mesh is, as the keeper found it; `ports` by declared port. */
export interface OutsideEndpoint {
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly ready: boolean;
}

/** How long a workload stays an endpoint without its stream, ms: after our own restart, and after the stream broke. */
export const GRACE = { restart: 15_000, disconnect: 1_500 } as const;

/** Which workloads are there, where, and whether they are ready. Tells `onChange` when the set of endpoints may differ. */
export class Registry {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #records = new Map<string, WorkloadRecord>();

  constructor(app: AppSpec, gateway: string, clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    for (const spec of app.workloads) this.#records.set(spec.name, newRecord(spec.name, spec));
    this.#records.set(gateway, newRecord(gateway, null));
  }

  get(name: string): WorkloadRecord | undefined {
    return this.#records.get(name);
  }

  all(): WorkloadRecord[] {
    return [...this.#records.values()];
  }

  /** Believes what was stored before a restart, for a while. */
  restore(stored: readonly StoredEndpoint[]): void {
    for (const { workload, address, listenPorts } of stored) {
      const record = this.#records.get(workload);
      if (record === undefined) continue;
      Object.assign(record, { address, listenPorts, appReady: true, trustedUntil: this.#clock.now() + GRACE.restart });
    }
    this.#clock.after(GRACE.restart + 50, this.#onChange);
  }

  store(): StoredEndpoint[] {
    return this.ready().map(({ workload }) => {
      const { address, listenPorts } = this.#records.get(workload) as WorkloadRecord;
      return { workload, address, listenPorts };
    });
  }

  connected(
    name: string,
    facts: { address: string; listenPorts: Readonly<Record<string, number>>; appReady: boolean; version: number },
  ): void {
    const record = this.#records.get(name);
    if (record === undefined) return;
    record.sidecar = 'connected';
    record.address = facts.address;
    record.listenPorts = facts.listenPorts;
    record.ackedVersion = facts.version;
    record.nack = null;
    // A sidecar that came back while its app was ready looks at the app first; until then the old word stands.
    record.appReady = facts.appReady || (record.appReady && record.trustedUntil > this.#clock.now());
    record.trustedUntil = this.#clock.now() + GRACE.disconnect;
    this.#onChange();
  }

  disconnected(name: string): void {
    const record = this.#records.get(name);
    if (record === undefined || record.sidecar !== 'connected') return;
    record.sidecar = 'disconnected';
    record.trustedUntil = this.#clock.now() + GRACE.disconnect;
    this.#onChange();
    this.#clock.after(GRACE.disconnect + 10, this.#onChange);
  }

  appReady(name: string, ready: boolean): void {
    const record = this.#records.get(name);
    if (record === undefined || record.appReady === ready) return;
    record.appReady = ready;
    this.#onChange();
  }

  ports(name: string, listenPorts: Readonly<Record<string, number>>): void {
    const record = this.#records.get(name);
    if (record === undefined) return;
    record.listenPorts = listenPorts;
    this.#onChange();
  }

  /** An app outside the mesh is there, or gone; that is believed until the next word. */
  reported(name: string, { address, ports, ready }: OutsideEndpoint): void {
    const record = this.#records.get(name);
    if (record?.role !== 'none') return;
    const listenPorts = Object.fromEntries(Object.entries(ports).map(([port, dial]) => [`in:${port}`, dial]));
    const same = record.address === address && sameText(record.listenPorts, listenPorts) && record.appReady === ready;
    Object.assign(record, { address, listenPorts, appReady: ready });
    if (!same) this.#onChange();
  }

  /** Endpoints that may be called now. */
  ready(): ReadyEndpoint[] {
    const now = this.#clock.now();
    return this.all()
      .filter((record) => record.spec !== null && record.appReady && record.address !== '')
      .filter(({ sidecar, trustedUntil }) => ['connected', 'none'].includes(sidecar) || trustedUntil > now)
      .map((record) => ({
        workload: record.name,
        address: record.address,
        ports: Object.fromEntries(
          (record.spec?.ports ?? []).map(({ port }) => [port, record.listenPorts[`in:${port}`] ?? port]),
        ),
      }));
  }
}

function newRecord(name: string, spec: WorkloadSpec | null): WorkloadRecord {
  return {
    name,
    spec,
    role: spec === null ? 'gateway' : spec.meshed ? 'sidecar' : 'none',
    sidecar: spec === null || spec.meshed ? 'waiting' : 'none',
    address: '',
    appReady: spec === null,
    listenPorts: {},
    ackedVersion: 0,
    wantedVersion: 0,
    nack: null,
    restarts: { sidecar: 0, app: 0 },
    trustedUntil: 0,
  };
}

function sameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
