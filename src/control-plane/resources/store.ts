import type { Finding } from '../../model/finding.js';
import type { FlavorName } from '../../model/flavor.js';
import { objectName, type Policies } from '../../model/policies.js';
import { policiesOf } from '../../resources/policies.js';
import { type PolicyFile, readResources } from '../../resources/read.js';
import { keyOf, type Resource } from '../../resources/resource.js';

/** A document as it was applied, and which resources of it count: by key when each came to be. */
export interface StoredDocument {
  readonly file: string;
  readonly text: string;
  readonly firstLine: number;
  readonly created: Readonly<Record<string, number>>;
  /** Generations by key; absent = 1. */
  readonly generations?: Readonly<Record<string, number>>;
}

export interface ResourceChange {
  readonly object: string;
  readonly change: 'created' | 'configured' | 'unchanged' | 'deleted';
}

/** A change of the resources that has not happened yet. */
export interface ResourcePlan {
  readonly next: ReadonlyMap<string, Resource>;
  readonly changes: readonly ResourceChange[];
  readonly findings: readonly Finding[];
}

/** The team's resources that are in force, by what identifies them, in the order in which they first came. */
export class ResourceStore {
  #resources: ReadonlyMap<string, Resource>;
  #policies: Policies;
  readonly #flavor: FlavorName;

  constructor(stored: readonly StoredDocument[], flavor: FlavorName) {
    this.#flavor = flavor;
    const resources = new Map<string, Resource>();
    for (const { file, text, firstLine, created, generations = {} } of stored)
      for (const resource of readResources([{ name: file, text, firstLine }], 0).resources) {
        const key = keyOf(resource);
        const since = created[key];
        if (since !== undefined) resources.set(key, { ...resource, created: since, generation: generations[key] ?? 1 });
      }
    this.#resources = new Map([...resources].sort(([, a], [, b]) => a.created - b.created));
    this.#policies = this.policiesOf(this.#resources);
  }

  get all(): readonly Resource[] {
    return [...this.#resources.values()];
  }

  get current(): ReadonlyMap<string, Resource> {
    return this.#resources;
  }

  get policies(): Policies {
    return this.#policies;
  }

  /** What other resources would say. */
  policiesOf(resources: ReadonlyMap<string, Resource>): Policies {
    return policiesOf([...resources.values()], this.#flavor);
  }

  /** What applying files would make of it; `now` in epoch ms. What is there already keeps its age. */
  planApply(files: readonly PolicyFile[], now: number): ResourcePlan {
    const { resources, findings } = readResources(files, now);
    const next = new Map(this.#resources);
    const changes = resources.map((resource): ResourceChange => {
      const key = keyOf(resource);
      const before = next.get(key);
      const same = before !== undefined && before.text === resource.text && before.apiVersion === resource.apiVersion;
      const age = resource.created === now ? (before?.created ?? now) : resource.created;
      next.set(key, { ...resource, created: age, generation: generationOf(resource, before) });
      return {
        object: objectName(resource),
        change: before === undefined ? 'created' : same ? 'unchanged' : 'configured',
      };
    });
    return { next, changes, findings };
  }

  /** What deleting the resources of `meant` would make of it. */
  planDelete(meant: (resource: Resource) => boolean): ResourcePlan {
    const gone = this.all.filter(meant);
    const keys = new Set(gone.map(keyOf));
    return {
      next: new Map([...this.#resources].filter(([key]) => !keys.has(key))),
      changes: gone.map((resource) => ({ object: objectName(resource), change: 'deleted' })),
      findings: [],
    };
  }

  commit(next: ReadonlyMap<string, Resource>): void {
    const policies = this.policiesOf(next);
    this.#resources = next;
    this.#policies = policies;
  }

  store(): StoredDocument[] {
    const documents = new Map<
      string,
      {
        file: string;
        text: string;
        firstLine: number;
        created: Record<string, number>;
        generations: Record<string, number>;
      }
    >();
    for (const [key, { source, text, firstLine, created, generation }] of this.#resources) {
      const id = `${source.file}:${firstLine}:${text}`;
      const known = documents.get(id) ?? { file: source.file, text, firstLine, created: {}, generations: {} };
      known.created[key] = created;
      known.generations[key] = generation;
      documents.set(id, known);
    }
    return [...documents.values()];
  }
}

/** What its spec is now, not where or how it is written, makes a new generation. */
function generationOf({ spec }: Resource, before: Resource | undefined): number {
  if (before === undefined) return 1;
  return JSON.stringify(spec) === JSON.stringify(before.spec) ? before.generation : before.generation + 1;
}
