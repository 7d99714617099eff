import { EVERYTHING, type RouteMatch } from '../../model/route.js';
import type { RequestCondition, ResponseCondition } from './service-profile.js';

/** So many ways to meet one condition are told apart. */
const MOST = 64;

/**
 * The requests that a condition means, as matches of which any is enough. Empty = none can be, or there are too many ways, or
 * two expressions would have to hold of one path, which a match cannot say.
 */
export function matchesOf(condition: RequestCondition): RouteMatch[] {
  const { method, pathRegex, all = [], any = [] } = condition;
  const own: RouteMatch = {
    ...EVERYTHING,
    ...(method === undefined ? {} : { methods: [method.toUpperCase()] }),
    ...(pathRegex === undefined ? {} : { path: { kind: 'regex', value: pathRegex, ignoreCase: false } }),
  };
  const parts = [[own], ...all.map(matchesOf), ...(any.length === 0 ? [] : [any.flatMap(matchesOf)])];
  return parts.reduce((met, part) => {
    const ways = met.length * part.length > MOST * MOST ? [] : met.flatMap((a) => part.flatMap((b) => together(a, b)));
    return ways.length > MOST ? [] : ways;
  });
}

function together(a: RouteMatch, b: RouteMatch): RouteMatch[] {
  const methods = a.methods.length === 0 ? b.methods : a.methods;
  if (a.methods.length > 0 && b.methods.length > 0 && a.methods[0] !== b.methods[0]) return [];
  const said = [a.path, b.path].filter(({ kind }) => kind === 'regex');
  if (said.length > 1 && said[0]?.value !== said[1]?.value) return [];
  return [{ ...a, methods, path: said[0] ?? a.path }];
}

/** Whether a status meets a condition. */
export function meets(status: number, { status: range, all = [], any = [], not }: ResponseCondition): boolean {
  return (
    (range === undefined || (status >= (range.min ?? range.max ?? 100) && status <= (range.max ?? range.min ?? 599))) &&
    all.every((one) => meets(status, one)) &&
    (any.length === 0 || any.some((one) => meets(status, one))) &&
    (not === undefined || !meets(status, not))
  );
}
