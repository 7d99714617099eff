import type { FieldChanges } from '../../model/route.js';
import type { HeaderOperations } from './virtual-service.js';

/** Names under which a rule may mean the authority. */
const AUTHORITY = new Set(['host', ':authority']);

/** Changes of fields as a rule asks for them; the authority is none of them, and an empty value changes nothing (observed). */
export function fieldChanges(operations: HeaderOperations | undefined): FieldChanges | null {
  const { set = {}, add = {}, remove = [] } = operations ?? {};
  const pairs = (record: Readonly<Record<string, string>>): (readonly [string, string])[] =>
    Object.entries(record)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name, value]) => value !== '' && !AUTHORITY.has(name) && !name.startsWith(':'));
  const changes = {
    remove: remove.map((name) => name.toLowerCase()).filter((name) => !AUTHORITY.has(name)),
    set: pairs(set),
    add: pairs(add),
  };
  return changes.remove.length + changes.set.length + changes.add.length === 0 ? null : changes;
}

/** The authority that a rule sets, by whichever name; adding is setting. */
export function hostOf(operations: HeaderOperations | undefined): string | null {
  const all = [...Object.entries(operations?.set ?? {}), ...Object.entries(operations?.add ?? {})];
  return all.find(([name, value]) => AUTHORITY.has(name.toLowerCase()) && value !== '')?.[1] ?? null;
}

/** Both on one level, as Envoy does them: all that is removed, all that is set, all that is added. */
export function mergedChanges(first: FieldChanges | null, second: FieldChanges | null): FieldChanges | null {
  if (first === null || second === null) return first ?? second;
  return {
    remove: [...first.remove, ...second.remove],
    set: [...first.set, ...second.set],
    add: [...first.add, ...second.add],
  };
}
