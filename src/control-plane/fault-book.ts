import type { AppSpec } from '../model/app.js';
import type { Fault } from '../model/fault.js';
import type { FaultView } from '../protocol/api-types.js';
import type { FaultInput } from '../protocol/fault-input.js';
import { ApiProblem } from './api/problem.js';
import { faultFrom } from './faults.js';

/** The faults of a sandbox and what each has done. Refuses what names nobody, with what there is (ApiProblem). */
export class FaultBook {
  readonly #app: AppSpec;
  readonly #hits = new Map<string, number>();
  #faults: readonly Fault[];
  readonly #now: () => number;
  /** Number of the last name that was given out. */
  #given = 0;

  /** `now` tells the time, epoch ms. */
  constructor(app: AppSpec, stored: readonly Fault[], now: () => number) {
    this.#app = app;
    this.#now = now;
    this.#faults = stored;
  }

  get all(): readonly Fault[] {
    return this.#faults;
  }

  /** Adds one and returns its name. */
  add(input: FaultInput): string {
    const named = { ...input, name: input.name ?? this.#freeName() };
    const fault = faultFrom(named, this.#app, this.#faults, this.#now());
    this.#hits.delete(fault.name);
    this.#faults = [...this.#faults, fault];
    return fault.name;
  }

  /** Names that were given out do not come back: late counts of one fault must not become another's. */
  #freeName(): string {
    do this.#given++;
    while (this.#faults.some(({ name }) => name === `f${this.#given}`));
    return `f${this.#given}`;
  }

  enable(name: string, enabled: boolean): void {
    this.#mustExist(name);
    this.#faults = this.#faults.map((fault) => (fault.name === name ? { ...fault, enabled } : fault));
  }

  /** Removes one, or all (`null`); returns how many went. */
  remove(name: string | null): number {
    if (name !== null) this.#mustExist(name);
    const before = this.#faults.length;
    this.#faults = name === null ? [] : this.#faults.filter((fault) => fault.name !== name);
    return before - this.#faults.length;
  }

  countHits(hits: Readonly<Record<string, number>>): void {
    for (const [name, more] of Object.entries(hits)) this.#hits.set(name, (this.#hits.get(name) ?? 0) + more);
  }

  /** `applied` = those that resources ask for beside its own. */
  views(active: boolean, applied: readonly Fault[] = []): FaultView[] {
    return [...this.#faults, ...applied].map((fault) => ({ ...fault, hits: this.#hits.get(fault.name) ?? 0, active }));
  }

  view(name: string, active: boolean): FaultView {
    this.#mustExist(name);
    return this.views(active).find((fault) => fault.name === name) as FaultView;
  }

  #mustExist(name: string): void {
    const names = this.#faults.map((fault) => fault.name);
    if (names.includes(name)) return;
    throw new ApiProblem(
      404,
      `there is no fault named ${JSON.stringify(name)}`,
      names.length === 0 ? 'there are no faults' : `there are: ${names.join(', ')}`,
    );
  }
}
