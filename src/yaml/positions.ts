import type { SourceRef } from '../model/source.js';

/** Where the parts of what readers made stand: the object itself and each of its fields or items. */
interface Positions {
  readonly self: SourceRef;
  readonly parts: ReadonlyMap<string | number, SourceRef>;
}

const positions = new WeakMap<object, Positions>();

/** Remembers where an object and its parts were read. */
export function locate<T extends object>(
  value: T,
  self: SourceRef,
  parts: ReadonlyMap<string | number, SourceRef> = new Map(),
): T {
  positions.set(value, { self, parts });
  return value;
}

/** Whether a field was written, obeyed or not. */
export function isWritten(value: object, part: string): boolean {
  return positions.get(value)?.parts.has(part) ?? false;
}

/** Whether anything was written in it, obeyed or not. */
export function isBlank(value: object): boolean {
  return (positions.get(value)?.parts.size ?? 0) === 0;
}

/**
 * Where something that was read stands: the object, or its field or item where that was written. Throws for what no reader
 * made: that is a mistake of ours.
 */
export function sourceOf(value: object, part?: string | number): SourceRef {
  const known = positions.get(value);
  if (known === undefined) throw new Error('no reader made this');
  return (part === undefined ? undefined : known.parts.get(part)) ?? known.self;
}
