import type { PortAccess } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Deployment } from '../kubernetes/deployment.js';
import { ofKind, type Resource } from '../resource.js';
import { restOf } from './inbound-default.js';
import { INBOUND_POLICIES, type InboundPolicy } from './words.js';

export const DEFAULT_INBOUND_POLICY = 'config.linkerd.io/default-inbound-policy';

/** What holds at ports without a Server: as the pods' own annotation says, else as their namespace's does. */
export function defaultAccessOf(resources: readonly Resource[]): PortAccess[] {
  const namespaces = ofKind(resources, 'kubernetes', 'Namespace').flatMap((namespace) => {
    const object = { ...namespace, namespace: namespace.name };
    return accessOf(object, namespace.annotations, null, 0);
  });
  const pods = ofKind<Deployment>(resources, 'kubernetes', 'Deployment').flatMap((deployment) => {
    const { labels = {}, annotations = {} } = deployment.spec.template?.metadata ?? {};
    return accessOf(deployment, annotations, labels, 1);
  });
  return [...namespaces, ...pods];
}

function accessOf(
  object: Resource,
  annotations: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>> | null,
  precedence: number,
): PortAccess[] {
  const policy = INBOUND_POLICIES.find((word): word is InboundPolicy => word === annotations[DEFAULT_INBOUND_POLICY]);
  if (policy === undefined) return [];
  const rules = restOf(policy, object, sourceOf(annotations, DEFAULT_INBOUND_POLICY));
  return [{ object, selector, port: null, precedence, created: object.created, rules }];
}
