import { type FindingLevel, READING } from '../../model/finding.js';
import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Deployment } from '../kubernetes/deployment.js';
import type { Report, Resource } from '../resource.js';
import { durationMs } from '../words.js';
import { grpcConditions, httpConditions } from './conditions.js';
import { DEFAULT_INBOUND_POLICY } from './default-access.js';
import { INBOUND_POLICIES } from './words.js';

/** What an annotation may say, and where it is obeyed. */
interface Annotation {
  readonly on: readonly string[];
  readonly isValid: (value: string) => boolean;
  readonly hint: string;
  /** It is known and not obeyed. */
  readonly why?: string;
}

const ROUTED = ['Service', 'HTTPRoute', 'GRPCRoute'];
const DURATION = { isValid: (value: string) => (durationMs(value) ?? 0) > 0, hint: 'such as 250ms or 10s' };
const COUNT = { isValid: (value: string) => /^\d{1,9}$/.test(value), hint: 'a whole number' };
const ANYTHING = { isValid: () => true, hint: '' };
const BALANCER = 'balancer.linkerd.io/failure-accrual';
const RATE = 'balancer.alpha.linkerd.io/failure-accrual-success-rate';

function share(most: number): Pick<Annotation, 'isValid' | 'hint'> {
  return {
    isValid: (value) => value !== '' && Number(value) >= 0 && Number(value) <= most,
    hint: `a number from 0 to ${most}`,
  };
}

/** Every annotation of Linkerd that is obeyed, and some that are known (linkerd.io reference). */
const KNOWN: Readonly<Record<string, Annotation | undefined>> = {
  'retry.linkerd.io/http': {
    on: ROUTED,
    isValid: (value) => httpConditions(value) !== null,
    hint: '5xx, gateway-error, a status such as 503, or a range such as 500-504',
  },
  'retry.linkerd.io/grpc': {
    on: ROUTED,
    isValid: (value) => grpcConditions(value) !== null,
    hint: 'cancelled, deadline-exceeded, internal, resource-exhausted, unavailable',
  },
  'retry.linkerd.io/limit': { on: ROUTED, ...COUNT },
  'retry.linkerd.io/timeout': { on: ROUTED, ...DURATION },
  'timeout.linkerd.io/request': { on: ROUTED, ...DURATION },
  'timeout.linkerd.io/response': { on: ROUTED, ...DURATION },
  'timeout.linkerd.io/idle': { on: ROUTED, ...DURATION, why: 'idle streams end after x-mesh.limits.streamIdle' },
  [BALANCER]: {
    on: ['Service'],
    isValid: (value) => value === 'consecutive' || value === 'unified',
    hint: 'consecutive or unified',
  },
  [`${BALANCER}-consecutive-max-failures`]: { on: ['Service'], ...COUNT },
  [`${BALANCER}-consecutive-min-penalty`]: { on: ['Service'], ...DURATION },
  [`${BALANCER}-consecutive-max-penalty`]: { on: ['Service'], ...DURATION },
  [`${BALANCER}-consecutive-jitter-ratio`]: { on: ['Service'], ...share(100) },
  [`${RATE}-threshold`]: { on: ['Service'], ...share(1) },
  [`${RATE}-window`]: { on: ['Service'], ...DURATION },
  [`${RATE}-min-requests`]: { on: ['Service'], ...COUNT },
  'config.linkerd.io/opaque-ports': {
    on: ['Service'],
    isValid: (value) => /^\s*\d+(-\d+)?(\s*,\s*\d+(-\d+)?)*\s*$/.test(value),
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
    on: ['Namespace', 'Deployment'],
    isValid: (value) => INBOUND_POLICIES.some((word) => word === value),
    hint: INBOUND_POLICIES.join(', '),
  },
  'linkerd.io/inject': { on: ['Namespace', 'Deployment', 'Service'], ...ANYTHING },
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
  const { on, isValid, hint, why } = known;
  if (why !== undefined) tell(READING.unsupportedField, 'warning', `${name} is not obeyed: ${why}`);
  else if (!on.includes(kind))
    tell(CODES.misplaced, 'warning', `${name} has no effect on a ${kind}`, `it belongs to a ${on.join(' or a ')}`);
  else if (!isValid(value))
    tell(CODES.invalid, 'warning', `${name} cannot be ${JSON.stringify(value)}, so it has no effect`, hint);
}

/** Those of the object, and those of its pods. */
function annotationsOf({ kind, annotations, spec }: Resource): Readonly<Record<string, string>>[] {
  const pods = kind === 'Deployment' ? (spec as Deployment).template?.metadata?.annotations : undefined;
  // What is said on a Deployment itself reaches none of its pods.
  return pods === undefined ? [annotations] : [pods];
}
