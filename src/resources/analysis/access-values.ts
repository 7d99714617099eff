import { TRUST_DOMAIN } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import type {
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationSource,
} from '../istio/authorization-policy.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost } from '../words.js';
import type { Tell, World } from './world.js';

/** Values of AuthorizationPolicies that mean nothing, or something else than they look like. */
export function analyzeAccessValues(world: World, tell: Tell): void {
  for (const policy of ofKind<AuthorizationPolicySpec>(world.resources, 'istio', 'AuthorizationPolicy'))
    for (const { from = [], to = [] } of policy.spec.rules ?? []) {
      for (const { source } of from) checkSource(world, policy, source, tell);
      for (const { operation } of to) checkOperation(world, policy, operation, tell);
    }
}

type Policy = Resource<AuthorizationPolicySpec>;

function checkSource(world: World, policy: Policy, source: AuthorizationSource, tell: Tell): void {
  const namespaces = [...new Set(world.workloads.map(({ namespace }) => namespace))];
  for (const field of ['namespaces', 'notNamespaces'] as const)
    each(source[field], (value, at) => {
      if (value.includes('*') || namespaces.length === 0 || namespaces.includes(value)) return;
      tell('KIA0101', 'warning', policy, at, `there is no namespace ${value}, so nobody calls from it`, {
        hint: `there are: ${namespaces.join(', ')}`,
      });
    });
  for (const field of ['principals', 'notPrincipals'] as const)
    each(source[field], (value, at) => checkPrincipal(world, policy, value, at, tell));
  for (const field of ['serviceAccounts', 'notServiceAccounts'] as const)
    each(source[field], (value, at) => {
      const account = value.includes('/') ? value : `${policy.namespace}/${value}`;
      checkAccount(world, policy, account, at, tell);
    });
}

type Place = ReturnType<typeof sourceOf>;

function each(values: string[] | undefined, look: (value: string, at: Place) => void): void {
  for (const [i, value] of (values ?? []).entries()) look(value, sourceOf(values as string[], i));
}

function checkPrincipal(world: World, policy: Policy, value: string, at: Place, tell: Tell): void {
  if (value.startsWith('spiffe://')) {
    tell('MS0155', 'error', policy, at, `the principal ${value} is met by nobody: principals stand without spiffe://`, {
      hint: value.slice('spiffe://'.length),
    });
    return;
  }
  if (isStarInside(value)) tellStar(policy, value, at, tell);
  if (value.includes('*')) return;
  const [domain, ns, namespace = '', sa, account = '', ...more] = value.split('/');
  if (ns !== 'ns' || sa !== 'sa' || more.length > 0) return;
  if (domain !== TRUST_DOMAIN)
    tell('KIA0108', 'warning', policy, at, `the trust domain ${domain} is not this mesh's, so nobody is of it`, {
      hint: `${TRUST_DOMAIN}/ns/${namespace}/sa/${account}`,
    });
  else checkAccount(world, policy, `${namespace}/${account}`, at, tell);
}

function checkAccount(world: World, policy: Policy, account: string, at: Place, tell: Tell): void {
  const known = accountsOf(world);
  if (known.length <= 1 || known.includes(account)) return;
  const close = nearest(account, known);
  tell('KIA0106', 'error', policy, at, `nobody runs as the service account ${account}`, {
    hint: close === null ? `there are: ${known.join(', ')}` : `did you mean ${close}?`,
  });
}

/** `namespace/account` of everybody who may call, the gateway too. */
export function accountsOf(world: World): string[] {
  const running = world.workloads.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`);
  const declared = ofKind(world.resources, 'kubernetes', 'ServiceAccount').map(
    ({ namespace, name }) => `${namespace}/${name}`,
  );
  return [...new Set([...running, ...declared, 'default/gateway'])];
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE']);

function checkOperation(world: World, policy: Policy, operation: AuthorizationOperation, tell: Tell): void {
  for (const field of ['methods', 'notMethods'] as const)
    each(operation[field], (value, at) => {
      if (METHODS.has(value) || value.startsWith('*') || value.endsWith('*')) return;
      tell('KIA0102', 'warning', policy, at, `${value} is no method of HTTP, so no request has it`, {
        hint: METHODS.has(value.toUpperCase()) ? value.toUpperCase() : [...METHODS].join(', '),
      });
    });
  for (const field of ['hosts', 'notHosts'] as const)
    each(operation[field], (value, at) => {
      const name = value.replace(/:(\d+|\*)$/, '');
      if (name.includes('*') || !world.complete || world.serviceOf(fullHost(name, policy.namespace)) !== null) return;
      if (world.services.some((service) => service.name === name)) return;
      tell('KIA0104', 'error', policy, at, `the host ${value} is not in the mesh, so no request is for it`, {
        hint: `there are: ${world.services.map((service) => service.name).join(', ')}`,
      });
    });
  for (const field of ['paths', 'notPaths'] as const)
    each(operation[field], (value, at) => {
      if (value.includes('?'))
        tell('MS0156', 'error', policy, at, `${value} is met by no request: a path is compared without its query`, {
          hint: value.slice(0, value.indexOf('?')),
        });
      else if (!/[{}]/.test(value) && isStarInside(value)) tellStar(policy, value, at, tell);
    });
}

/** A star that is neither the first nor the last character, or a second one. */
function isStarInside(value: string): boolean {
  return value.length > 1 && (value.startsWith('*') ? value.slice(1) : value.slice(0, -1)).includes('*');
}

function tellStar(policy: Policy, value: string, at: Place, tell: Tell): void {
  tell('MS0157', 'warning', policy, at, `a star inside of ${value} is an ordinary character`, {
    hint: value.startsWith('/') ? value.replaceAll('*', '{*}') : 'a star first or last: x* or *x',
  });
}
