import { type FindingLevel, READING } from '../../model/finding.js';
import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Deployment } from '../kubernetes/deployment.js';
import type { Report, Resource } from '../resource.js';
import { ANYTHING, DURATION, GROUPS, type Value } from './annotation-values.js';
import { DEFAULT_INBOUND_POLICY } from './default-access.js';
import { portsOf } from './opaque-ports.js';
import { badPenalties } from './traffic.js';
import { INBOUND_POLICIES } from './words.js';

/** What an annotation may say, and where it is obeyed. */
interface Annotation extends Value {
  readonly on: readonly string[];
  /** It is known and not obeyed. */
  readonly why?: string;
  /** The same of some values. */
  readonly whyOf?: Readonly<Record<string, string | undefined>>;
}

const ROUTED = ['Service', 'HTTPRoute', 'GRPCRoute'];
const WORKLOADS = ['Namespace', 'Deployment'];

/** Annotations of a group, obeyed at the same kinds. */
function on(kinds: readonly string[], group: Readonly<Record<string, Value>>): Record<string, Annotation> {
  return Object.fromEntries(Object.entries(group).map(([name, value]) => [name, { ...value, on: kinds }]));
}

/** Every annotation of Linkerd that is obeyed, and some that are known (linkerd.io reference). */
const KNOWN: Readonly<Record<string, Annotation | undefined>> = {
  ...on(ROUTED, GROUPS.http),
  ...on(['Service', 'GRPCRoute'], GROUPS.grpc),
  ...on(ROUTED, GROUPS.timeouts),
  ...on(['Service'], GROUPS.accrual),
  'timeout.linkerd.io/idle': { on: ROUTED, ...DURATION, why: 'idle streams end after x-mesh.limits.streamIdle' },
  'config.linkerd.io/opaque-ports': {
    on: ['Service', ...WORKLOADS],
    isValid: (value) => portsOf(value) !== null,
    hint: '3306,6379 or 9000-9010',
  },
  'balancer.alpha.linkerd.io/penalize-failures': { on: ['Service'], ...ANYTHING, why: 'load goes by latency alone' },
  'balancer.alpha.linkerd.io/load-biaser-penalty': { on: ['Service'], ...ANYTHING, why: 'load goes by latency alone' },
  'balancer.alpha.linkerd.io/failure-accrual-honor-retry-after': {
    on: ['Service'],
    ...ANYTHING,
    why: 'penalties are those of the breaker',
  },
  'config.linkerd.io/skip-inbound-ports': {
    on: [],
    ...ANYTHING,
    why: 'every port goes through the sidecar: x-mesh.sidecar: false takes a workload out of the mesh',
  },
  'config.linkerd.io/skip-outbound-ports': { on: [], ...ANYTHING, why: 'every call goes through the sidecar' },
  [DEFAULT_INBOUND_POLICY]: {
    on: WORKLOADS,
    isValid: (value) => INBOUND_POLICIES.some((word) => word === value),
    hint: INBOUND_POLICIES.join(', '),
  },
  'linkerd.io/inject': {
    on: [...WORKLOADS, 'Service'],
    isValid: (value) => ['enabled', 'disabled', 'ingress'].includes(value),
    hint: 'enabled, disabled or ingress',
    whyOf: {
      disabled: 'workloads have a sidecar: x-mesh.sidecar: false in the Compose file takes one out of the mesh',
      ingress: 'sidecars have one mode, and route by the address that was called',
    },
  },
};

const CODES = { unknown: 'MS0200', invalid: 'MS0201', misplaced: 'MS0209' } as const;

/** Whose annotation it is: `linkerd.io/inject`, `retry.linkerd.io/http`. */
const OURS = /^(?:[a-z.]+\.)?linkerd\.io\//;
/** Groups of which only a few annotations are known here: the others are about how proxies are installed. */
const INSTALLING = /^(?:config(?:\.alpha|\.beta)?|viz|multicluster|jaeger)?\.?linkerd\.io\//;

/** Tells of annotations of Linkerd that are misspelt, have no effect where they stand, or say what cannot be. */
export function checkLinkerdAnnotations(resource: Resource, report: Report): void {
  for (const annotations of annotationsOf(resource))
    for (const [name, value] of Object.entries(annotations)) {
      if (!OURS.test(name)) continue;
      const tell = (code: string, level: FindingLevel, message: string, hint = ''): void =>
        report(code, level, sourceOf(annotations, name), message, hint);
      const known = KNOWN[name];
      if (known === undefined) tellUnknown(name, tell);
      else checkKnown(name, value, known, resource.kind, tell);
    }
  const penalty = resource.kind === 'Service' ? badPenalties(resource.annotations) : null;
  if (penalty !== null)
    report(
      CODES.invalid,
      'warning',
      sourceOf(resource.annotations, penalty),
      'the longest penalty must be above 0 and not below the shortest, so no circuit breaker works',
      'min-penalty: 1s, max-penalty: 60s',
    );
}

type TellAnnotation = (code: string, level: FindingLevel, message: string, hint?: string) => void;

function tellUnknown(name: string, tell: TellAnnotation): void {
  const close = nearest(name, Object.keys(KNOWN));
  if (close === null && INSTALLING.test(name))
    tell(READING.unsupportedField, 'info', `${name} is not obeyed: sidecars are set up by x-mesh`);
  else
    tell(
      CODES.unknown,
      'warning',
      `the annotation ${name} is not known and has no effect`,
      close === null ? '' : `did you mean ${close}?`,
    );
}

function checkKnown(name: string, value: string, known: Annotation, kind: string, tell: TellAnnotation): void {
  const { on, isValid, hint, why = known.whyOf?.[value] } = known;
  if (why !== undefined)
    tell(
      READING.unsupportedField,
      'warning',
      `${name}${known.why === undefined ? ` ${value}` : ''} is not obeyed: ${why}`,
    );
  else if (!on.includes(kind))
    tell(CODES.misplaced, 'warning', `${name} has no effect on a ${kind}`, `it belongs to a ${on.join(' or a ')}`);
  else if (!isValid(value))
    tell(CODES.invalid, 'warning', `${name} cannot be ${JSON.stringify(value)}, so ${withoutEffect(name, kind)}`, hint);
}

/** What comes of a value that cannot be read: annotations that Linkerd reads together count together. */
function withoutEffect(name: string, kind: string): string {
  const group = Object.values(GROUPS).find((one) => Object.hasOwn(one, name));
  if (group === undefined) return 'it has no effect';
  const prefix = name.startsWith('balancer') ? 'failure-accrual' : name.slice(0, name.indexOf('/'));
  const all = `no annotation of ${prefix} here has an effect`;
  return kind === 'Service' ? all : `${all}, and Linkerd leaves the whole route out`;
}

/** Those of the object, and those of its pods. */
function annotationsOf({ kind, annotations, spec }: Resource): Readonly<Record<string, string>>[] {
  const pods = kind === 'Deployment' ? (spec as Deployment).template?.metadata?.annotations : undefined;
  // What is said on a Deployment itself reaches none of its pods.
  return pods === undefined ? [annotations] : [pods];
}
