import { ROOT_NAMESPACE } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import type { DestinationRule } from '../istio/destination-rule.js';
import type { PeerAuthentication } from '../istio/others.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost } from '../words.js';
import { textOf } from './selectors.js';
import type { Tell, World } from './world.js';

/** Callers and callees that want different things of one connection. */
export function analyzeMtls(world: World, tell: Tell): void {
  const policies = ofKind<PeerAuthentication>(world.resources, 'istio', 'PeerAuthentication');
  for (const rule of ofKind<DestinationRule>(world.resources, 'istio', 'DestinationRule'))
    checkPlain(world, policies, rule, tell);
  for (const policy of policies) {
    checkPorts(world, policy, tell);
    checkSeveral(policies, policy, tell);
  }
}

/** The classic 503: the caller is told to speak plaintext, the callee takes only mutual TLS. */
function checkPlain(
  world: World,
  policies: readonly Resource<PeerAuthentication>[],
  rule: Resource<DestinationRule>,
  tell: Tell,
): void {
  const tls = rule.spec.trafficPolicy?.tls;
  if (tls === undefined || (tls.mode !== undefined && tls.mode !== 'DISABLE')) return;
  const service = world.serviceOf(fullHost(rule.spec.host, rule.namespace));
  const namespace = service?.namespace ?? rule.namespace;
  const strict = policies.find(
    ({ spec, namespace: own }) =>
      spec.mtls?.mode === 'STRICT' &&
      (own === ROOT_NAMESPACE || own === namespace) &&
      (spec.selector?.matchLabels === undefined ||
        (service?.selector != null &&
          world
            .workloadsFor(namespace, service.selector)
            .some(({ labels }) =>
              Object.entries(spec.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value),
            ))),
  );
  if (strict === undefined) return;
  tell(
    strict.namespace === ROOT_NAMESPACE ? 'KIA0208' : 'KIA0207',
    'error',
    rule,
    sourceOf(tls),
    `callers are told to speak plaintext to ${rule.spec.host}, and PeerAuthentication ${strict.namespace}/${strict.name} is STRICT: every request is answered 503 (UC)`,
    {
      hint: 'leave tls out (mutual TLS is then used by itself), or mode: ISTIO_MUTUAL',
    },
  );
}

function checkPorts(world: World, { spec, ...object }: Resource<PeerAuthentication>, tell: Tell): void {
  const { portLevelMtls, selector } = spec;
  if (portLevelMtls === undefined) return;
  const labels = selector?.matchLabels;
  if (labels === undefined) {
    tell(
      'MS0136',
      'error',
      { ...object },
      sourceOf(portLevelMtls),
      'portLevelMtls needs a selector: without one it has no effect',
    );
    return;
  }
  const ports = new Set(world.workloadsFor(object.namespace, labels).flatMap((workload) => workload.ports ?? []));
  for (const port of Object.keys(portLevelMtls))
    if (ports.size > 0 && !ports.has(Number(port)))
      tell(
        'MS0137',
        'warning',
        { ...object },
        sourceOf(portLevelMtls, port),
        `no workload with ${textOf(labels)} listens on port ${port}: it is the workload's own port that counts, not the Service's`,
        {
          hint: `they listen on: ${[...ports].join(', ')}`,
        },
      );
}

function checkSeveral(
  all: readonly Resource<PeerAuthentication>[],
  policy: Resource<PeerAuthentication>,
  tell: Tell,
): void {
  const twins = all.filter(
    (other) =>
      other.namespace === policy.namespace &&
      JSON.stringify(other.spec.selector ?? null) === JSON.stringify(policy.spec.selector ?? null),
  );
  const [oldest] = twins.toSorted((a, b) => a.created - b.created || (a.name < b.name ? -1 : 1));
  if (twins.length > 1 && oldest !== undefined)
    tell(
      policy.spec.selector === undefined ? 'KIA0002' : 'KIA0003',
      'error',
      policy,
      null,
      `${twins.length} PeerAuthentications are about the same workloads, and the oldest, ${oldest.name}, alone counts`,
    );
}
