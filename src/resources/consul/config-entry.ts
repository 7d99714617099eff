import type { Findings } from '../../yaml/problems.js';
import type { YamlEntry, YamlView } from '../../yaml/view.js';
import type { Head } from '../head.js';

/** A Consul config entry (`Kind: service-router`, `Name: web`) as a resource; null = it is none. */
export function configEntryOf(
  _view: YamlView,
  _entries: ReadonlyMap<string, YamlEntry>,
  _findings: Findings,
): Head | null {
  return null;
}
