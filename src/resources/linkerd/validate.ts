import { isWritten, sourceOf } from '../../yaml/positions.js';
import { type Refuse, refuser } from '../refuse.js';
import type { Report, Resource } from '../resource.js';
import type { MeshTlsAuthentication, NetworkAuthentication } from './authentications.js';
import type { LinkerdAuthorizationPolicy, ServerAuthorization } from './authorization-policy.js';
import type { HttpLocalRateLimitPolicy } from './rate-limit-policy.js';
import type { Server } from './server.js';
import type { Reference } from './words.js';

/** What Linkerd's admission refuses (linkerd2 `policy-controller/src/admission.rs`). */

function checkKinds(refs: readonly Reference[], known: readonly string[], what: string, refuse: Refuse): void {
  for (const ref of refs)
    if (!known.includes(ref.kind))
      refuse(sourceOf(ref, 'kind'), `${ref.kind} is no ${what}`, `there are: ${known.join(', ')}`);
}

export function checkServer({ spec, source }: Resource<Server>, report: Report): void {
  if (!isWritten(spec, 'podSelector') && !isWritten(spec, 'externalWorkloadSelector'))
    refuser(report)(source, 'a Server chooses pods', 'podSelector: { matchLabels: { app: … } }');
}

export function checkPolicy({ spec, namespace }: Resource<LinkerdAuthorizationPolicy>, report: Report): void {
  const refuse = refuser(report);
  const { targetRef, requiredAuthenticationRefs: refs } = spec;
  checkKinds([targetRef], ['Server', 'HTTPRoute', 'GRPCRoute', 'Namespace'], 'target of a policy', refuse);
  if (targetRef.kind === 'Namespace' && targetRef.name !== namespace)
    refuse(sourceOf(targetRef, 'name'), `a policy is about its own namespace, ${namespace}`, `name: ${namespace}`);
  checkKinds(refs, ['MeshTLSAuthentication', 'NetworkAuthentication', 'ServiceAccount'], 'authentication', refuse);
  for (const kind of ['MeshTLSAuthentication', 'NetworkAuthentication']) {
    const [, second] = refs.filter((ref) => ref.kind === kind);
    if (second !== undefined)
      refuse(
        sourceOf(second),
        `one ${kind} is required at most, and a caller must meet each`,
        'two policies: either is enough',
      );
  }
}

export function checkMeshTls({ spec, source }: Resource<MeshTlsAuthentication>, report: Report): void {
  const refuse = refuser(report);
  const { identities = [], identityRefs = [] } = spec;
  if (identities.length + identityRefs.length === 0) refuse(source, 'it names nobody', "identities: [ '*' ]");
  checkKinds(identityRefs, ['ServiceAccount', 'Namespace'], 'identity', refuse);
}

export function checkNetwork({ spec }: Resource<NetworkAuthentication>, report: Report): void {
  if (spec.networks.length === 0)
    refuser(report)(sourceOf(spec, 'networks'), 'it names no network', 'networks: [ { cidr: 10.0.0.0/8 } ]');
}

export function checkRateLimit({ spec }: Resource<HttpLocalRateLimitPolicy>, report: Report): void {
  const refuse = refuser(report);
  const { targetRef, total, identity, overrides = [] } = spec;
  checkKinds([targetRef], ['Server'], 'target of a limit', refuse);
  const most = total?.requestsPerSecond ?? Number.POSITIVE_INFINITY;
  if (identity !== undefined && identity.requestsPerSecond > most)
    refuse(sourceOf(spec, 'identity'), `what one caller may is more than all may together, ${most}`);
  for (const override of overrides) {
    if (override.requestsPerSecond > most)
      refuse(sourceOf(override), `what one caller may is more than all may together, ${most}`);
    checkKinds(override.clientRefs, ['ServiceAccount'], 'client', refuse);
  }
}

export function checkServerAuthorization({ spec }: Resource<ServerAuthorization>, report: Report): void {
  const { unauthenticated, meshTLS } = spec.client;
  const refuse = refuser(report);
  const at = sourceOf(spec, 'client');
  if (unauthenticated === true && meshTLS !== undefined)
    refuse(at, 'clients are unauthenticated or have meshTLS, not both');
  if (unauthenticated !== true && meshTLS === undefined)
    refuse(
      at,
      'it says nothing of its clients',
      'unauthenticated: true, or meshTLS: { serviceAccounts: [ { name: … } ] }',
    );
}
