import type { AppSpec } from '../../model/app.js';
import type { Finding } from '../../model/finding.js';
import type { FlavorName } from '../../model/flavor.js';
import { nearest } from '../../model/nearest.js';
import type { Clock } from '../../platform/clock.js';
import type { ApplyResult, DiffResult, PolicyFileInput, ResourceView } from '../../protocol/api-types.js';
import { analyze } from '../../resources/analysis/analyze.js';
import { worldOf } from '../../resources/analysis/world.js';
import { consulRefusals } from '../../resources/consul/refuse.js';
import type { Surroundings } from '../../resources/gateway-api/backends.js';
import { statusOf } from '../../resources/gateway-api/status.js';
import { unobeyedIn } from '../../resources/gateway-api/unobeyed-here.js';
import { kindHint, kindsNamed } from '../../resources/kind-names.js';
import { readResources } from '../../resources/read.js';
import { groupOf, type Kind, keyOf, type Resource } from '../../resources/resource.js';
import { differencesOf } from '../../simulate/diff/diff.js';
import { ApiProblem } from '../api/problem.js';
import type { Publisher } from '../distribution/publisher.js';
import type { ResourcePlan, ResourceStore } from './store.js';

/** Which resources are meant; nothing = none. */
export interface Selection {
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface DeskParts {
  readonly app: AppSpec;
  readonly flavor: FlavorName;
  readonly clock: Clock;
  readonly store: ResourceStore;
  readonly publisher: Publisher;
  /** How long a change may take until every connected sidecar obeys, ms. */
  readonly settleMs: number;
  /** The resources are others now. */
  readonly onChange: () => void;
}

/**
 * Where resources are applied and deleted: one change at a time, each as a whole. A change that a sidecar refuses, or does
 * not obey in time, is taken back.
 */
export class PolicyDesk {
  readonly #parts: DeskParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** Throws ApiProblem when no kind is called so, or what is named is not there. */
  list({ kind, name, namespace }: Selection): ResourceView[] {
    const { store, app, flavor } = this.#parts;
    const kinds = kind === undefined ? null : kindsMeant(kind);
    const all = store.all.filter(
      (one) =>
        (kinds === null || kinds.some((each) => isOf(one, each))) &&
        (namespace === undefined || one.namespace === namespace),
    );
    const found = name === undefined ? all : all.filter((one) => one.name === name);
    if (name !== undefined && found.length === 0)
      throw notFound({ kind, name, namespace }, kind === undefined ? [] : all);
    const world = worldOf(store.all, app, flavor);
    return found.map((one) => viewOf(one, world));
  }

  apply(files: readonly PolicyFileInput[], dryRun: boolean): Promise<ApplyResult> {
    return this.#inTurn(() => this.#carryOut(this.#plan(files), dryRun));
  }

  /** With what is refused, or not obeyed, only beside what is in force already, and by this mesh. */
  #plan(files: readonly PolicyFileInput[]): ResourcePlan {
    const { store, clock, flavor } = this.#parts;
    const plan = store.planApply(files, clock.now());
    const next = [...plan.next.values()];
    const named = new Set(plan.changes.map(({ object }) => object));
    const unobeyed = unobeyedIn(next, flavor).filter(({ object }) => named.has(object));
    return { ...plan, findings: [...plan.findings, ...unobeyed, ...consulRefusals(next)] };
  }

  /** With what would be refused of the rest, and was not before. */
  #planDelete(isMeant: (one: Resource) => boolean, findings: readonly Finding[] = []): ResourcePlan {
    const { store } = this.#parts;
    const plan = store.planDelete(isMeant);
    const textOf = ({ object, message }: Finding): string => `${object} ${message}`;
    const before = new Set(consulRefusals(store.all).map(textOf));
    const refused = consulRefusals([...plan.next.values()]).filter((one) => !before.has(textOf(one)));
    return { ...plan, findings: [...findings, ...refused] };
  }

  /** What is likely to be a mistake once the files are applied beside what is in force. */
  analyze(files: readonly PolicyFileInput[]): { findings: Finding[] } {
    const { store, clock, app, flavor } = this.#parts;
    const { next, findings } = store.planApply(files, clock.now());
    return { findings: [...findings, ...analyze([...next.values()], app, flavor)] };
  }

  /** What would change for whom, in words, if the files were applied. */
  diff(files: readonly PolicyFileInput[]): DiffResult {
    const { publisher, store } = this.#parts;
    const { next, changes, findings } = this.#plan(files);
    const refused = findings.some(({ level }) => level === 'error');
    const after = refused ? publisher.configs : publisher.configsWith(store.policiesOf(next));
    return { changes, findings, differences: differencesOf(publisher.configs, after) };
  }

  /** Rejects with ApiProblem when nothing is meant or what is meant is not there. */
  delete(
    which: Selection & { files?: readonly PolicyFileInput[] | undefined; all?: boolean | undefined },
    dryRun: boolean,
  ): Promise<ApplyResult> {
    return this.#inTurn(() => {
      if (which.files !== undefined) {
        const { resources, findings } = readResources(which.files, 0);
        const keys = new Set(resources.map(keyOf));
        return this.#carryOut(
          this.#planDelete((one) => keys.has(keyOf(one)), findings),
          dryRun,
        );
      }
      if (which.all === true)
        return this.#carryOut(
          this.#planDelete(() => true),
          dryRun,
        );
      const { kind, name, namespace } = which;
      if (kind === undefined || name === undefined)
        throw new ApiProblem(400, 'say what to delete: files, a kind and a name, or all');
      const keys = new Set(this.list({ kind, name, namespace: namespace ?? 'default' }).map(keyOf));
      return this.#carryOut(
        this.#planDelete((one) => keys.has(keyOf(one))),
        dryRun,
      );
    });
  }

  async #carryOut({ next, changes, findings }: ResourcePlan, dryRun: boolean): Promise<ApplyResult> {
    const { store, publisher, settleMs, onChange } = this.#parts;
    const result = { dryRun, changes, findings, version: publisher.version, sidecars: [], refused: [] };
    if (dryRun || findings.some(({ level }) => level === 'error')) return { ...result, applied: false };
    const before = store.current;
    store.commit(next);
    onChange();
    const { version, obeyed, refused, silent } = await publisher.publishAndWait(settleMs);
    const against = [
      ...refused,
      ...silent.map((workload) => ({ workload, reason: `no answer within ${settleMs} ms` })),
    ];
    if (against.length === 0) return { ...result, applied: true, version, sidecars: obeyed };
    store.commit(before);
    onChange();
    const back = await publisher.publishAndWait(settleMs);
    return { ...result, applied: false, version: back.version, refused: against };
  }

  /** One after the other, in the order in which they came. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change, change);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function kindsMeant(word: string): readonly Kind[] {
  const kinds = kindsNamed(word);
  if (kinds.length === 0) throw new ApiProblem(404, `there is no kind ${JSON.stringify(word)}`, kindHint(word));
  return kinds;
}

/** What is named is not there; `others` are what there is in its place. */
function notFound({ kind = 'resource', name, namespace }: Selection, others: readonly Resource[]): ApiProblem {
  const inPlace = (one: { namespace: string; name: string }): string =>
    namespace === undefined ? one.name : `${one.namespace}/${one.name}`;
  const names = others.map(inPlace);
  const wanted = inPlace({ namespace: namespace ?? '', name: name ?? '' });
  const near = nearest(wanted, names);
  const known = names.length === 0 ? 'none is in force' : `there are: ${names.join(', ')}`;
  return new ApiProblem(404, `there is no ${kind} ${wanted}`, near === null ? known : `did you mean ${near}?`);
}

function isOf({ kind, apiVersion }: Resource, wanted: Kind): boolean {
  return wanted.kind === kind && wanted.group === groupOf(apiVersion);
}

function viewOf(resource: Resource, around: Surroundings): ResourceView {
  const { apiVersion, kind, namespace, name, dialect, created, source, text, generation } = resource;
  const status = statusOf(resource, around);
  return {
    apiVersion,
    kind,
    namespace,
    name,
    dialect,
    created,
    source,
    text,
    generation,
    ...(status === null ? {} : { status }),
  };
}
