import type { FieldMatch, PathMatch, RouteMatch } from '../../model/route.js';

/** Whether everything that `narrow` meets is met by `wide` as well, as far as can be told. */
export function matchCovers(wide: RouteMatch, narrow: RouteMatch): boolean {
  return (
    pathCovers(wide.path, narrow.path) &&
    (wide.methods.length === 0 ||
      (narrow.methods.length > 0 && narrow.methods.every((method) => wide.methods.includes(method)))) &&
    wide.fields.every((test) => narrow.fields.some((other) => same(test, other))) &&
    wide.query.every((test) => narrow.query.some((other) => same(test, other)))
  );
}

function pathCovers(wide: PathMatch, narrow: PathMatch): boolean {
  if (same(wide, narrow)) return true;
  if (wide.kind !== 'segments' && wide.kind !== 'prefix') return false;
  if (wide.value === '/' || wide.value === '') return true;
  if (narrow.kind === 'regex') return false;
  const bare = wide.value.replace(/\/$/, '');
  return narrow.value === bare || narrow.value.startsWith(`${bare}/`);
}

/** Of what both say; what only one of them says differs. */
function same(a: Tested, b: Tested): boolean {
  return a.value === b.value && a.kind === b.kind && a.name === b.name && a.invert === b.invert;
}

type Tested = Pick<FieldMatch, 'value'> & { readonly kind: string; readonly name?: string; readonly invert?: boolean };
