import { READING } from '../../model/finding.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Deployment } from '../kubernetes/deployment.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** What an annotation or a label changes in a cluster and not here. */
interface Unobeyed {
  readonly why: string;
  readonly hint: string;
  /** Values that come to the same as what is done here. */
  readonly harmless: (value: string) => boolean;
}

const OUT = 'x-mesh.sidecar: false at the service in the Compose file';
const SET_UP = 'sidecars are set up by the Compose file';

const never = (): boolean => false;
const isTrue = (value: string): boolean => value === 'true';
const isAll = (value: string): boolean => value.trim() === '*';

const INJECT: Unobeyed = { why: 'each workload has a sidecar', hint: OUT, harmless: isTrue };

function captured(what: string, harmless: Unobeyed['harmless'] = (value) => value.trim() === ''): Unobeyed {
  return { why: `${what} through the sidecar`, hint: OUT, harmless };
}

const TRAFFIC = 'traffic.sidecar.istio.io';

/**
 * Annotations and labels of Istio that change who has a sidecar, what it is given and what passes it (istio.io/api
 * annotation and label lists); the others are about how proxies are installed and watched.
 */
const PODS: Readonly<Record<string, Unobeyed>> = {
  'sidecar.istio.io/inject': INJECT,
  'sidecar.istio.io/interceptionMode': {
    why: 'connections are redirected (REDIRECT)',
    hint: 'leave it out',
    harmless: (value) => value === 'REDIRECT',
  },
  'sidecar.istio.io/bootstrapOverride': { why: SET_UP, hint: 'leave it out', harmless: never },
  'security.istio.io/autoMTLS': {
    why: 'mutual TLS is spoken to whoever takes it',
    hint: 'a DestinationRule with tls.mode: DISABLE, or a PeerAuthentication',
    harmless: isTrue,
  },
  'security.istio.io/tlsMode': {
    why: 'callers go by who has a sidecar',
    hint: 'a PeerAuthentication with mtls.mode: DISABLE',
    harmless: (value) => value === 'istio',
  },
  'proxy.istio.io/config': { why: SET_UP, hint: 'x-mesh.limits', harmless: never },
  'proxy.istio.io/overrides': { why: SET_UP, hint: 'x-mesh.limits', harmless: never },
  'inject.istio.io/templates': { why: SET_UP, hint: 'leave it out', harmless: (value) => value === 'sidecar' },
  'istio.io/reroute-virtual-interfaces': captured('all calls of the workload go'),
  [`${TRAFFIC}/kubevirtInterfaces`]: captured('all calls of the workload go'),
  [`${TRAFFIC}/excludeInterfaces`]: captured('all of them go'),
  [`${TRAFFIC}/excludeInboundPorts`]: captured('every port is reached'),
  [`${TRAFFIC}/includeInboundPorts`]: captured('every port is reached', isAll),
  [`${TRAFFIC}/excludeOutboundPorts`]: captured('every call goes'),
  [`${TRAFFIC}/includeOutboundPorts`]: captured('every call goes', (value) => value.trim() === ''),
  [`${TRAFFIC}/excludeOutboundIPRanges`]: captured('every call goes'),
  [`${TRAFFIC}/includeOutboundIPRanges`]: captured('every call goes', isAll),
};

const NAMESPACES: Readonly<Record<string, Unobeyed>> = {
  'istio-injection': { ...INJECT, harmless: (value) => value !== 'disabled' },
};

/** Tells of each once, where it stands. What stands where Istio does not look is told as that. */
export function analyzeUnobeyedAnnotations({ resources }: World, tell: Tell): void {
  for (const object of ofKind(resources, 'kubernetes', 'Namespace')) check(object, object.labels, NAMESPACES, tell);
  for (const object of ofKind<Deployment>(resources, 'kubernetes', 'Deployment')) {
    const { annotations = {}, labels = {} } = object.spec.template?.metadata ?? {};
    // The label is the newer form of the annotation, and who writes both means one thing.
    const older = Object.fromEntries(Object.entries(annotations).filter(([name]) => !(name in labels && name in PODS)));
    check(object, labels, PODS, tell, labels);
    check(object, older, PODS, tell, annotations);
  }
}

function check(
  object: Resource,
  said: Readonly<Record<string, string>>,
  known: Readonly<Record<string, Unobeyed>>,
  tell: Tell,
  written: object = said,
): void {
  for (const [name, value] of Object.entries(said)) {
    const one = Object.hasOwn(known, name) ? known[name] : undefined;
    if (one === undefined || one.harmless(value)) continue;
    tell(
      READING.unsupportedField,
      'warning',
      object,
      sourceOf(written, name),
      `${name}: ${JSON.stringify(shortened(value))} is not obeyed: ${one.why}`,
      { hint: one.hint },
    );
  }
}

function shortened(value: string): string {
  const line = value.trim().replaceAll(/\s+/g, ' ');
  return line.length <= 40 ? line : `${line.slice(0, 39)}…`;
}
