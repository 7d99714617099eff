import type { WorkloadSpec } from '../model/app.js';
import type { Findings } from '../yaml/problems.js';
import type { YamlView } from '../yaml/view.js';
import { splitWords } from './argv.js';
import { type Environment, interpolate } from './interpolate.js';
import { checkServiceKeys } from './known-keys.js';
import { readPorts } from './ports.js';
import { readServiceExtension } from './service-extension.js';

export interface ServiceInput {
  readonly name: string;
  readonly view: YamlView;
  readonly environment: Environment;
  readonly findings: Findings;
}

/** Text of a scalar with its variables replaced; problems go to the findings, and the text is empty. */
export type Expand = (value: YamlView, what: string) => string;

/** One Compose service as a workload. Problems go to `findings`; what can be read is returned all the same. */
export function readService({ name, view, environment, findings }: ServiceInput): WorkloadSpec {
  const where = `services.${name}`;
  const entries = new Map(view.entries(where).map((entry) => [entry.key, entry]));
  checkServiceKeys(name, entries, findings);
  const expanded = expander(environment, findings);
  const field = (key: string): YamlView | null => entries.get(key)?.value ?? null;
  const optional = (key: string): string | null => {
    const value = field(key);
    return value === null || value.kind === 'null' ? null : expanded(value, `${where}.${key}`);
  };
  const labels = pairsOf(field('labels'), `${where}.labels`, expanded, null);
  const extension = readServiceExtension({ view: field('x-mesh'), where: `${where}.x-mesh`, expanded, findings });
  const image = optional('image');
  if (image === null) findings.problem(view.source, `${where} has no image`, 'image: NAME');
  else if (image === '') findings.problem(field('image')?.source ?? view.source, `${where}.image is empty`);
  const app = labels['app'] ?? name;
  if (app !== name && !isHostLabel(app))
    findings.problem(
      field('labels')?.source ?? view.source,
      `${where}: the label app is a host name, which ${JSON.stringify(app)} is not`,
      HOST_LABEL,
    );
  const lists = ['ports', 'expose'].map((key) => ({ key, view: field(key) }));
  return {
    name,
    app,
    version: labels['version'] ?? 'v1',
    serviceAccount: extension.serviceAccount ?? app,
    meshed: extension.sidecar,
    locality: extension.locality,
    namespace: extension.namespace,
    labels: { ...labels, app, version: labels['version'] ?? 'v1' },
    ports: readPorts({ lists, service: name, declared: extension.ports, expanded, findings }),
    image: image ?? '',
    command: argvOf(field('command'), `${where}.command`, expanded) ?? [],
    entrypoint: argvOf(field('entrypoint'), `${where}.entrypoint`, expanded),
    environment: pairsOf(field('environment'), `${where}.environment`, expanded, environment),
    localCommand: extension.local,
    user: optional('user'),
    workingDir: optional('working_dir'),
    ...(extension.calls.length === 0 ? {} : { calls: extension.calls }),
    source: view.source,
  };
}

export const HOST_LABEL = 'lower-case letters, digits and dashes, 63 at most';

export function isHostLabel(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

export function expander(environment: Environment, findings: Findings): Expand {
  return (value, what) => {
    const text = value.text(what);
    try {
      return interpolate(text ?? '', environment);
    } catch (error) {
      findings.problem(value.source, `${what}: ${error instanceof Error ? error.message : String(error)}`);
      return '';
    }
  };
}

/**
 * A mapping, or a list of `NAME=value`. A name alone takes its value from the `host`, and is left out when the host has
 * none; without a host (labels) it is empty.
 */
function pairsOf(
  value: YamlView | null,
  what: string,
  expanded: Expand,
  host: Environment | null,
): Record<string, string> {
  if (value === null) return {};
  const inherited = (name: string): string | undefined => (host === null ? '' : host[name]);
  const pairs =
    value.kind === 'list'
      ? value.items(what).map((item): [string, string | undefined] => {
          const text = expanded(item, what);
          const cut = text.indexOf('=');
          return cut < 0 ? [text, inherited(text)] : [text.slice(0, cut), text.slice(cut + 1)];
        })
      : value.entries(what).map(({ key, value: item }): [string, string | undefined] => {
          return [key, item.kind === 'null' ? inherited(key) : expanded(item, `${what}.${key}`)];
        });
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function argvOf(value: YamlView | null, what: string, expanded: Expand): string[] | null {
  if (value === null || value.kind === 'null') return null;
  if (value.kind === 'list') return value.items(what).map((item) => expanded(item, what));
  return splitWords(expanded(value, what));
}
