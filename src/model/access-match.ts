import type { AccessMatch } from './authorization.js';

/** `*` = is there, `x*`, `*x`; a star elsewhere is a character. One at both ends makes a suffix (observed on Istio). */
export function wildcardMatch(
  value: string,
): AccessMatch & { readonly kind: 'exact' | 'prefix' | 'suffix' | 'present' } {
  if (value === '*') return { kind: 'present', value: '' };
  if (value.startsWith('*')) return { kind: 'suffix', value: value.slice(1) };
  if (value.endsWith('*')) return { kind: 'prefix', value: value.slice(0, -1) };
  return { kind: 'exact', value };
}

/** A text as an RE2 expression that means only itself: names are never read as patterns. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
