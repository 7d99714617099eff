import { READING } from '../../model/finding.js';
import { list, openTable, type Read, reader, record, text, whole } from '../../yaml/readers.js';
import type { Report, Resource } from '../resource.js';

const WITHOUT_ENVOY = 'EnvoyFilter patches Envoy, which does not run here: it has no effect';

const patch = openTable({ operation: text, value: openTable({ name: text }) });
const match = openTable({
  proxy: openTable({ proxyVersion: text }),
  listener: openTable({ filterChain: openTable({ filter: openTable({ name: text }) }) }),
});
const fields = openTable({
  workloadSelector: openTable({ labels: record(text) }),
  priority: whole(-(2 ** 31), 2 ** 31 - 1),
  configPatches: list(openTable({ applyTo: text, match, patch })),
});

/** Nothing of an EnvoyFilter is obeyed; what analysis tells about it needs these parts of it (istio.io/api networking). */
export const envoyFilter = reader<Read<typeof fields>>({ kind: 'unsupported', why: WITHOUT_ENVOY }, fields);

export type EnvoyFilter = Read<typeof fields>;
export type EnvoyPatch = NonNullable<EnvoyFilter['configPatches']>[number];

export function tellEnvoyFilter(_: Resource<EnvoyFilter>, report: Report): void {
  report(READING.unsupportedKind, 'warning', null, WITHOUT_ENVOY);
}
