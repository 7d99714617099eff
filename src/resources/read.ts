import { type Finding, READING } from '../model/finding.js';
import { NAMESPACE } from '../model/names.js';
import { objectName } from '../model/policies.js';
import { Findings } from '../yaml/problems.js';
import { record, text } from '../yaml/readers.js';
import { mapView, parseYamlDocuments, type YamlEntry, type YamlView } from '../yaml/view.js';
import { configEntryOf, isConfigEntry, isHcl } from './consul/config-entry.js';
import type { Head } from './head.js';
import { kindNear } from './kind-names.js';
import { KINDS, PASSED_KINDS } from './kinds.js';
import { checkLinkerdAnnotations } from './linkerd/annotations.js';
import { groupOf, type Kind, keyOf, type Resource, reporter } from './resource.js';

/** A file as it was given: its name for people, and what stands in it. */
export interface PolicyFile {
  readonly name: string;
  readonly text: string;
  /** Line of the file on which the text begins; 1 unless it is a part of it. */
  readonly firstLine?: number;
}

export interface ReadResources {
  readonly resources: readonly Resource[];
  /** In the order of the files. */
  readonly findings: readonly Finding[];
}

/**
 * Reads policy files: every document of every file, of all dialects. What is wrong is told all at once, each at its line;
 * resources in which something is wrong are left out. `now` (epoch ms) is when they come to be, where they do not say.
 */
export function readResources(files: readonly PolicyFile[], now: number): ReadResources {
  const found: Finding[] = [];
  const resources: Resource[] = [];
  for (const file of files) {
    const findings = new Findings();
    if (isHcl(file.text)) {
      const place = { file: file.name, line: file.firstLine ?? 1, column: 1 };
      findings.problem(place, 'this is HCL, which is not read', 'consul config read -kind KIND -name NAME prints JSON');
      tell(findings, '', found);
      continue;
    }
    const documents = parseYamlDocuments(file.text, file.name, findings, file.firstLine);
    tell(findings, '', found);
    for (const document of documents ?? []) {
      const shape = new Findings();
      const views = itemsOf(document.view.toldTo(shape));
      tell(shape, '', found);
      for (const view of views) {
        const resource = readOne(view, { text: document.text, firstLine: document.firstLine, now, found });
        if (resource !== null) resources.push(resource);
      }
    }
  }
  return { resources: withoutDuplicates(resources, found), findings: found };
}

interface Context {
  readonly text: string;
  readonly firstLine: number;
  readonly now: number;
  readonly found: Finding[];
}

/** The items of a Kubernetes `List`, or the document itself. */
function itemsOf(view: YamlView): YamlView[] {
  if (view.kind !== 'map') return [view];
  const entries = new Map(view.entries('').map((entry) => [entry.key, entry.value]));
  if (entries.get('kind')?.scalar !== 'List') return [view];
  return entries.get('items')?.items('items') ?? [];
}

/** Fields of `metadata` that a file may carry and that say nothing here. */
const BOOKKEEPING = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'managedFields',
  'selfLink',
  'finalizers',
  'ownerReferences',
]);

function readOne(given: YamlView, context: Context): Resource | null {
  const findings = new Findings();
  const view = given.toldTo(findings);
  const entries = new Map(view.entries('the document').map((entry) => [entry.key, entry]));
  const word = entries.get('kind')?.value;
  if (word?.scalar === 'PolicyTest') {
    const [message, hint] = ['a PolicyTest is no policy and changes nothing', 'mesh-sandbox test FILE runs it'];
    context.found.push({
      code: READING.unsupportedKind,
      level: 'info',
      object: '',
      source: word.source,
      message,
      hint,
    });
    return null;
  }
  const readHead = isConfigEntry(entries) ? configEntryOf : headOf;
  const head = view.kind === 'map' ? readHead(view, entries, findings) : null;
  if (head === null) {
    tell(findings, '', context.found);
    return null;
  }
  const { kind: kindName, namespace, name, apiVersion } = head;
  const object = objectName({ kind: kindName, namespace, name });
  const ref = { kind: kindName, namespace, name, source: view.source };
  const report = reporter(ref, context.found);
  const kind = KINDS.find((known) => known.kind === kindName && known.group === groupOf(apiVersion));
  if (kind === undefined) {
    const passed = PASSED_KINDS[`${groupOf(apiVersion)}/${kindName}`];
    if (passed !== '')
      report(READING.unsupportedKind, 'warning', head.kindSource, passed ?? unknownKind(apiVersion, kindName));
    return null;
  }
  if (!kind.versions.includes(versionOf(apiVersion)))
    findings.problem(
      head.versionSource,
      `${kindName} has no version ${apiVersion}`,
      `it has: ${kind.versions.map((version) => [kind.group, version].filter((part) => part !== '').join('/')).join(', ')}`,
    );
  const spec = head.body === undefined ? specOf(kind, view, entries, findings) : kind.spec(head.body, '', findings);
  tell(findings, object, context.found);
  if (spec === undefined || findings.problems.length > 0) return null;
  const resource: Resource = {
    ...ref,
    dialect: kind.dialect,
    apiVersion,
    labels: head.labels,
    annotations: head.annotations,
    created: head.created ?? context.now,
    generation: 1,
    spec,
    text: context.text,
    firstLine: context.firstLine,
  };
  const before = context.found.length;
  kind.check?.(resource, report);
  checkLinkerdAnnotations(resource, report);
  return context.found.slice(before).some(({ level }) => level === 'error') ? null : resource;
}

function headOf(view: YamlView, entries: ReadonlyMap<string, YamlEntry>, findings: Findings): Head | null {
  const word = (key: string): string | null => {
    const value = entries.get(key)?.value;
    if (value === undefined)
      findings.problem(
        view.source,
        `the document has no ${key}`,
        'a Kubernetes resource begins with apiVersion, kind and metadata',
      );
    return value?.text(key) ?? null;
  };
  const [apiVersion, kind] = [word('apiVersion'), word('kind')];
  const metadata = entries.get('metadata')?.value;
  const fields = new Map(metadata?.entries('metadata').map((entry) => [entry.key, entry]));
  const name =
    fields.get('name')?.value.text('metadata.name') ??
    fields.get('generateName')?.value.text('metadata.generateName') ??
    null;
  if (apiVersion === null || kind === null) return null;
  if (name === null && KINDS.some((known) => known.kind === kind && known.group === groupOf(apiVersion))) {
    findings.problem(metadata?.source ?? view.source, `the ${kind} has no metadata.name`, 'metadata: { name: … }');
    return null;
  }
  for (const { key, keySource } of fields.values())
    if (
      !['name', 'generateName', 'namespace', 'labels', 'annotations', 'creationTimestamp'].includes(key) &&
      !BOOKKEEPING.has(key)
    )
      findings.unknownKey(keySource, key, 'metadata', [
        'name',
        'namespace',
        'labels',
        'annotations',
        'creationTimestamp',
      ]);
  const texts = (key: string): Readonly<Record<string, string>> => {
    const value = fields.get(key)?.value;
    return value === undefined ? {} : (record(text)(value, `metadata.${key}`, findings) ?? {});
  };
  return {
    apiVersion,
    versionSource: entries.get('apiVersion')?.value.source ?? view.source,
    kind,
    kindSource: entries.get('kind')?.value.source ?? view.source,
    namespace: fields.get('namespace')?.value.text('metadata.namespace') ?? NAMESPACE,
    name: name ?? '',
    labels: texts('labels'),
    annotations: texts('annotations'),
    created: createdAt(fields.get('creationTimestamp')?.value, findings),
  };
}

function createdAt(value: YamlView | undefined, findings: Findings): number | null {
  if (value === undefined || value.kind === 'null') return null;
  const time = Date.parse(value.text('metadata.creationTimestamp') ?? '');
  if (Number.isNaN(time))
    findings.problem(value.source, 'metadata.creationTimestamp is no time', "'2026-01-31T12:00:00Z'");
  return Number.isNaN(time) ? null : time;
}

const HEAD_KEYS = new Set(['apiVersion', 'kind', 'metadata', 'status']);

function specOf(kind: Kind, view: YamlView, entries: ReadonlyMap<string, YamlEntry>, findings: Findings): unknown {
  const bodyView = (keys: ReadonlySet<string>): YamlView => mapView(view, ({ key }) => !keys.has(key));
  if (kind.body === 'object') return kind.spec(bodyView(HEAD_KEYS), '', findings);
  for (const { key, keySource } of entries.values())
    if (!HEAD_KEYS.has(key) && key !== 'spec')
      findings.unknownKey(keySource, key, `the ${kind.kind}`, ['apiVersion', 'kind', 'metadata', 'spec']);
  return kind.spec(entries.get('spec')?.value ?? bodyView(new Set(entries.keys())), 'spec', findings);
}

function unknownKind(apiVersion: string, kind: string): string {
  const close = kindNear(kind);
  const group = KINDS.find((known) => known.kind === kind)?.group;
  if (group !== undefined) return `${kind} of ${apiVersion} is not known; ${kind} belongs to ${group || 'v1'}`;
  return `${kind} (${apiVersion}) is not known and has no effect${close === null ? '' : `; did you mean ${close}?`}`;
}

function versionOf(apiVersion: string): string {
  return apiVersion.split('/').at(-1) ?? '';
}

/** Problems are errors; what is known and not obeyed is a warning. */
function tell(findings: Findings, object: string, found: Finding[]): void {
  for (const { source, message, hint } of findings.inFileOrder())
    found.push({ code: READING.schema, level: 'error', object, source, message, hint });
  for (const { source, message, hint } of findings.unobeyed)
    found.push({
      code: READING.unsupportedField,
      level: 'warning',
      object,
      source,
      message: `${message} is not obeyed: ${hint}`,
      hint: '',
    });
}

/** The last of several that are the same resource counts, as with `kubectl apply`. */
function withoutDuplicates(resources: readonly Resource[], found: Finding[]): Resource[] {
  const last = new Map<string, Resource>();
  for (const resource of resources) {
    const key = keyOf(resource);
    const before = last.get(key);
    if (before !== undefined)
      reporter(resource, found)(
        READING.duplicate,
        'warning',
        null,
        `it stands twice, and this one counts: the other is in ${before.source.file}:${before.source.line}`,
      );
    last.delete(key);
    last.set(key, resource);
  }
  return [...last.values()];
}
