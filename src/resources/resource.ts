import type { Finding, FindingLevel } from '../model/finding.js';
import { type ObjectRef, objectName } from '../model/policies.js';
import type { SourceRef } from '../model/source.js';
import type { Reader } from '../yaml/readers.js';

export type Dialect = 'istio' | 'gateway-api' | 'linkerd' | 'consul' | 'kubernetes' | 'sandbox';

export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One resource of the team's files, read; `spec` is what the reader of its kind made. */
export interface Resource<S = unknown> extends ObjectRef, Metadata {
  readonly dialect: Dialect;
  readonly apiVersion: string;
  /** Epoch ms: what the file says, else when it was first applied. */
  readonly created: number;
  /** 1 when it was first applied, and one more with each other spec (Kubernetes). */
  readonly generation: number;
  readonly spec: S;
  /** Its document as it was written, and the line of the file on which that begins. */
  readonly text: string;
  readonly firstLine: number;
}

/** Tells what is wrong with a resource; `where` = what it is about, null = the resource as a whole. */
export type Report = (
  code: string,
  level: FindingLevel,
  where: SourceRef | null,
  message: string,
  hint?: string,
) => void;

/** A kind of resource that is read. */
export interface Kind<S = unknown> {
  readonly dialect: Dialect;
  /** `networking.istio.io`; '' = Kubernetes' own. */
  readonly group: string;
  readonly versions: readonly string[];
  readonly kind: string;
  readonly spec: Reader<S>;
  /** `spec`, or all of the object but its head (Kubernetes' older kinds). */
  readonly body: 'spec' | 'object';
  /** Rules that one resource must hold by itself. */
  readonly check?: (resource: Resource<S>, report: Report) => void;
}

/** `networking.istio.io` of `networking.istio.io/v1`; '' for Kubernetes' own. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** A kind whose reader and check agree on what they make. */
export function kindOf<S>(kind: Kind<S>): Kind {
  return kind as unknown as Kind;
}

/** A `Report` that collects. */
export function reporter(object: ObjectRef, found: Finding[]): Report {
  return (code, level, where, message, hint = '') => {
    found.push({ code, level, object: objectName(object), source: where ?? object.source, message, hint });
  };
}

const byKind = new WeakMap<readonly Resource[], Map<string, readonly Resource[]>>();

/** Resources of one kind; a list that is asked again remembers them. */
export function ofKind<S>(resources: readonly Resource[], dialect: Dialect, kind: string): readonly Resource<S>[] {
  const known = byKind.get(resources) ?? new Map<string, readonly Resource[]>();
  byKind.set(resources, known);
  const key = `${dialect}/${kind}`;
  let found = known.get(key);
  if (found === undefined) {
    found = resources.filter((one) => one.dialect === dialect && one.kind === kind);
    known.set(key, found);
  }
  return found as readonly Resource<S>[];
}

/** What identifies a resource among all: `networking.istio.io/VirtualService default/reviews`. */
export function keyOf({
  apiVersion,
  kind,
  namespace,
  name,
}: Pick<Resource, 'apiVersion' | 'kind' | 'namespace' | 'name'>): string {
  const group = apiVersion.includes('/') ? `${apiVersion.split('/')[0]}/` : '';
  return `${group}${kind} ${namespace}/${name}`;
}
