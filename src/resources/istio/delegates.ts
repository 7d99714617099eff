import { sourceOf } from '../../yaml/positions.js';
import type { Resource } from '../resource.js';
import { visibleTo } from '../words.js';
import type { StringMatch } from './string-match.js';
import type { HttpMatch, HttpRoute, VirtualService } from './virtual-service.js';

/** A rule of a VirtualService, or of the one that it delegates to, and where it stands. */
export interface OwnedRule {
  readonly rule: HttpRoute;
  readonly owner: Resource<VirtualService>;
  readonly index: number;
}

/**
 * The rules of a VirtualService with those of its delegates in their places: both must match, what the delegate says
 * replaces what the root says, field by field, and a rule that can never match is left out. One level, as in Istio.
 */
export function rulesOf(root: Resource<VirtualService>, all: readonly Resource<VirtualService>[]): OwnedRule[] {
  return (root.spec.http ?? []).flatMap((rule, index): OwnedRule[] => {
    const { delegate } = rule;
    if (delegate === undefined) return [{ rule, owner: root, index }];
    const namespace = delegate.namespace ?? root.namespace;
    const leaf = all.find((one) => one.name === delegate.name && one.namespace === namespace);
    if (leaf === undefined || (leaf.spec.hosts ?? []).length > 0) return [];
    const seen = visibleTo(leaf.spec.exportTo, leaf.namespace);
    if (seen !== null && !seen.includes(root.namespace)) return [];
    return (leaf.spec.http ?? []).flatMap((own, at): OwnedRule[] => {
      const merged = mergedRule(rule, own);
      return merged === null ? [] : [{ rule: merged, owner: leaf, index: at }];
    });
  });
}

function mergedRule(root: HttpRoute, leaf: HttpRoute): HttpRoute | null {
  const match = mergedMatches(root.match ?? [], leaf.match ?? []);
  if (match === null) return null;
  const { delegate: _, ...inherited } = root;
  const name = [root.name, leaf.name].filter((part) => part !== undefined && part !== '').join('-');
  return Object.assign(Object.create(Object.getPrototypeOf(leaf)), inherited, leaf, { match, name });
}

/** Every pair that can hold together; null = none can. */
function mergedMatches(roots: readonly HttpMatch[], leaves: readonly HttpMatch[]): HttpMatch[] | null {
  if (roots.length === 0) return [...leaves];
  if (leaves.length === 0) return [...roots];
  const merged = roots.flatMap((root) =>
    leaves.filter((leaf) => !conflicts(root, leaf)).map((leaf) => mergedMatch(root, leaf)),
  );
  return merged.length === 0 ? null : merged;
}

function mergedMatch(root: HttpMatch, leaf: HttpMatch): HttpMatch {
  return {
    ...root,
    ...leaf,
    headers: { ...root.headers, ...leaf.headers },
    withoutHeaders: { ...root.withoutHeaders, ...leaf.withoutHeaders },
    queryParams: { ...root.queryParams, ...leaf.queryParams },
    sourceLabels: { ...root.sourceLabels, ...leaf.sourceLabels },
  };
}

function conflicts(root: HttpMatch, leaf: HttpMatch): boolean {
  const texts: readonly (readonly [StringMatch | undefined, StringMatch | undefined])[] = [
    [root.uri, leaf.uri],
    [root.scheme, leaf.scheme],
    [root.method, leaf.method],
    [root.authority, leaf.authority],
    ...pairs(root.headers, leaf.headers),
    ...pairs(root.withoutHeaders, leaf.withoutHeaders),
    ...pairs(root.queryParams, leaf.queryParams),
  ];
  return (
    texts.some(([a, b]) => textsConflict(a, b)) ||
    (root.uri !== undefined &&
      leaf.uri !== undefined &&
      (root.ignoreUriCase ?? false) !== (leaf.ignoreUriCase ?? false)) ||
    differ(root.port, leaf.port) ||
    differ(root.sourceNamespace, leaf.sourceNamespace) ||
    Object.entries(root.sourceLabels ?? {}).some(([name, value]) => differ(value, leaf.sourceLabels?.[name]))
  );
}

function pairs(
  roots: Readonly<Record<string, StringMatch>> = {},
  leaves: Readonly<Record<string, StringMatch>> = {},
): (readonly [StringMatch | undefined, StringMatch | undefined])[] {
  return Object.keys(roots).map((name) => [roots[name], leaves[name]] as const);
}

function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** Whether what the delegate asks for lies outside of what the root asks for; expressions are never compared. */
function textsConflict(root: StringMatch | undefined, leaf: StringMatch | undefined): boolean {
  if (root === undefined || leaf === undefined) return false;
  if (root.regex !== undefined || leaf.regex !== undefined) return true;
  if (root.exact !== undefined) return leaf.exact !== root.exact;
  if (root.prefix === undefined) return leaf.exact !== undefined || leaf.prefix !== undefined;
  return !(leaf.prefix ?? leaf.exact ?? '').startsWith(root.prefix);
}

/** Where a rule stands: a merged one where its own part is written. */
export function placeOf({ owner, index }: OwnedRule): ReturnType<typeof sourceOf> {
  return owner.spec.http === undefined ? owner.source : sourceOf(owner.spec.http, index);
}
