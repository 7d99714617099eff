import { sourceOf } from '../../yaml/positions.js';
import type { Refuse } from '../refuse.js';

/** Namespaces that may see a resource: each once, and `*` alone. */
export function checkExports(exportTo: readonly string[] | undefined, refuse: Refuse): void {
  for (const [i, entry] of (exportTo ?? []).entries())
    if (entry === '*' && (exportTo ?? []).length > 1)
      refuse(sourceOf(exportTo as string[], i), 'exportTo names * and others: * is all of them', "exportTo: [ '*' ]");
    else if (!/^(?:[*.~]|[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)$/.test(entry))
      refuse(sourceOf(exportTo as string[], i), `${entry} is no namespace`);
    else if (exportTo?.indexOf(entry) !== i) refuse(sourceOf(exportTo as string[], i), `exportTo names ${entry} twice`);
}
