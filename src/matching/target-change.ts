import type { PathChange, PathMatch } from '../model/route.js';
import { pathOf } from './match.js';
import { expression } from './text.js';

/** Makes a target of a target; the query stays. Null = nothing is left of the path: it stays as it was, unchanged. */
export type TargetChange = (target: string) => string | null;

/**
 * The change of path that a route asks for, made once per configuration. What comes of it is a path again: an empty one is
 * none, and the path stays. Throws when its expression is none, or its text is no path's.
 */
export function targetChange(change: PathChange, match: PathMatch): TargetChange {
  const texts = change.kind === 'regex' ? [change.substitution] : [change.value];
  for (const text of texts)
    if (!/^[!-~]*$/.test(text)) throw new Error(`${JSON.stringify(text)} cannot stand in a path`);
  const raw = rawChange(change, match);
  return (target) => {
    const changed = raw(target);
    if (changed === '' || changed.startsWith('?')) return null;
    // What a caller's own path is made into must not become another kind of target; what the rule itself says stands, as
    // in Envoy, whether an app takes it or not.
    return change.kind === 'regex' && !changed.startsWith('/') ? `/${changed}` : changed;
  };
}

function rawChange(change: PathChange, match: PathMatch): (target: string) => string {
  switch (change.kind) {
    case 'full':
      return (target) => change.value + queryOf(target);
    case 'prefix': {
      const length = matchedLength(match);
      return (target) => change.value + (length === null ? queryOf(target) : target.slice(length));
    }
    case 'segments': {
      const from = withoutSlash(match.value).length;
      const to = withoutSlash(change.value);
      return (target) => {
        const path = to + pathOf(target).slice(from);
        return (path === '' ? '/' : path) + queryOf(target);
      };
    }
    case 'regex': {
      const compiled = expression(change.value);
      // What names a group that there is not replaces nothing (RE2).
      const named = [...change.substitution.matchAll(/\\(\d)/g)].map(([, digit]) => Number(digit));
      if (Math.max(0, ...named) > compiled.groupCount()) return (target) => target;
      return (target) => replaced(compiled, pathOf(target), change.substitution) + queryOf(target);
    }
  }
}

/** Every match replaced, `\1` being a group; nothing is found empty where a match has just ended (RE2's GlobalReplace). */
function replaced(compiled: ReturnType<typeof expression>, path: string, substitution: string): string {
  const matcher = compiled.matcher(path);
  let out = '';
  let last = 0;
  let ended = -1;
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    if (start === end && start === ended) continue;
    out += path.slice(last, start) + substitution.replace(/\\(\d)/g, (_, group) => matcher.group(Number(group)) ?? '');
    last = end;
    ended = end;
  }
  return out + path.slice(last);
}

/** How much of a path the rule's own text is; null = all of it, where the rule is about whole paths. */
function matchedLength({ kind, value }: PathMatch): number | null {
  return kind === 'prefix' || kind === 'segments' ? value.length : null;
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function queryOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? '' : target.slice(query);
}
