import type { AccessCondition, AccessConditions, AccessMatch } from '../../model/authorization.js';
import { ofKind, type Resource } from '../resource.js';
import type { MeshTlsAuthentication, NetworkAuthentication } from './authentications.js';
import type { ServerAuthorization } from './authorization-policy.js';
import { accountMatch, identityMatch, namespaceMatch } from './identities.js';
import { isChosen, type Network, type Reference } from './words.js';

/** Any of these is enough, each with all of its conditions; null = what it refers to is not there, so nobody meets it. */
export type Who = readonly AccessConditions[] | null;

/** Anybody. */
const EVERYBODY: readonly AccessConditions[] = [[]];
/** Anybody with an identity. */
export const IDENTIFIED: AccessCondition = principal([{ kind: 'present', value: '' }], 'a mesh identity');

/** Who meets all that is required; nothing required = everybody. */
export function whoMeets(refs: readonly Reference[], namespace: string, resources: readonly Resource[]): Who {
  return refs.reduce<Who>((met, ref) => both(met, whoOf(ref, namespace, resources)), EVERYBODY);
}

function both(a: Who, b: Who): Who {
  if (a === null || b === null) return null;
  return a.flatMap((one) => b.map((other) => [...one, ...other]));
}

function whoOf(ref: Reference, own: string, resources: readonly Resource[]): Who {
  const namespace = ref.namespace ?? own;
  if (ref.kind === 'ServiceAccount')
    return [[principal([accountMatch(ref.name, namespace)], `ServiceAccount ${ref.name}`)]];
  const found = resources.find(
    (one) => one.dialect === 'linkerd' && one.kind === ref.kind && one.namespace === namespace && one.name === ref.name,
  );
  switch (found?.kind) {
    case 'MeshTLSAuthentication':
      return identified(found as Resource<MeshTlsAuthentication>);
    case 'NetworkAuthentication':
      return (found as Resource<NetworkAuthentication>).spec.networks.map(cameFrom);
    default:
      return null;
  }
}

function identified({ namespace, spec }: Resource<MeshTlsAuthentication>): Who {
  const { identities = [], identityRefs = [] } = spec;
  const matches = [
    ...identities.map(identityMatch),
    ...identityRefs.map((ref) =>
      ref.kind === 'Namespace' ? namespaceMatch(ref.name) : accountMatch(ref.name, ref.namespace ?? namespace),
    ),
  ].filter((match) => match !== null);
  const names = [...identities, ...identityRefs.map(({ kind, name }) => `${kind} ${name}`)];
  return matches.length === 0 ? null : [[principal(matches, `identities: ${names.join(', ')}`)]];
}

function principal(values: readonly AccessMatch[], text: string): AccessCondition {
  return { subject: { kind: 'principal' }, values, not: false, text };
}

function cameFrom({ cidr, except = [] }: Network): AccessConditions {
  const range = (value: string): AccessMatch => ({ kind: 'range', value });
  const inside: AccessCondition = {
    subject: { kind: 'peer-address' },
    values: [range(cidr)],
    not: false,
    text: `networks: ${cidr}`,
  };
  if (except.length === 0) return [inside];
  return [inside, { ...inside, values: except.map(range), not: true, text: `networks, except: ${except.join(', ')}` }];
}

/** The clients of a ServerAuthorization: where they come from and who they are; who proves nothing only where that is said. */
export function clientsOf({ namespace, spec }: Resource<ServerAuthorization>): Who {
  const { networks, unauthenticated = false, meshTLS } = spec.client;
  const where: Who = networks === undefined ? EVERYBODY : networks.map(cameFrom);
  if (unauthenticated) return where;
  const { identities = [], serviceAccounts = [], unauthenticatedTLS = false } = meshTLS ?? {};
  // Whoever speaks mutual TLS here proves who it is.
  if (unauthenticatedTLS) return both(where, [[IDENTIFIED]]);
  const matches = [
    ...identities.map(identityMatch),
    ...serviceAccounts.map((ref) => accountMatch(ref.name, ref.namespace ?? namespace)),
  ].filter((match) => match !== null);
  const names = [...identities, ...serviceAccounts.map(({ name }) => name)];
  return matches.length === 0 ? null : both(where, [[principal(matches, `identities: ${names.join(', ')}`)]]);
}

/** Authorizations by what they target. */
export function serverAuthorizationsFor(
  server: Resource,
  resources: readonly Resource[],
): Resource<ServerAuthorization>[] {
  return ofKind<ServerAuthorization>(resources, 'linkerd', 'ServerAuthorization').filter(
    ({ namespace, spec: { server: wanted } }) => {
      if (namespace !== server.namespace) return false;
      if (wanted.name !== undefined) return wanted.name === server.name;
      return isChosen(wanted.selector ?? {}, server.labels);
    },
  );
}
