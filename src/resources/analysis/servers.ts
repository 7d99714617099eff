import type { PortAccess } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import type { KnownWorkload } from '../kubernetes/deployment.js';
import { portAccessOf } from '../linkerd/access.js';
import type { Server } from '../linkerd/server.js';
import { ofKind, type Resource } from '../resource.js';
import { accountsOf } from './access-values.js';
import { textOf } from './selectors.js';
import type { Tell, World } from './world.js';

/** Linkerd's Servers: pods and ports that they do not find, two about one port, and callers that none of lets in. */
export function analyzeServers(world: World, tell: Tell): void {
  const servers = ofKind<Server>(world.resources, 'linkerd', 'Server');
  if (servers.length === 0 || world.workloads.length === 0) return;
  const access = portAccessOf(world.resources);
  const seen = new Map<string, Resource>();
  for (const server of servers) {
    const about = access.find(({ object }) => object === server);
    if (about === undefined) continue;
    const chosen = world.workloadsFor(server.namespace, about.selector ?? {});
    if (chosen.length === 0) tellNobody(server, about, tell);
    else checkPort(server, about, chosen, tell);
    checkOverlap(server, about, chosen, { seen, tell });
    if (chosen.length > 0 && !letsAnybodyIn(world, about))
      tell(
        'MS0205',
        'warning',
        server,
        null,
        `it lets nobody in: every call to ${namesOf(chosen)} on its port is answered 403`,
        {
          hint: 'an AuthorizationPolicy with targetRef: { kind: Server, name: … }, or accessPolicy',
        },
      );
  }
}

function tellNobody(server: Resource<Server>, { selector }: PortAccess, tell: Tell): void {
  const where = server.spec.podSelector === undefined ? null : sourceOf(server.spec, 'podSelector');
  const what = selector === null ? 'all pods' : textOf(selector);
  tell('MS0203', 'warning', server, where, `the podSelector (${what}) chooses no workload in ${server.namespace}`);
}

function checkPort(server: Resource<Server>, { port }: PortAccess, chosen: readonly KnownWorkload[], tell: Tell): void {
  const where = sourceOf(server.spec, 'port');
  if (port === null)
    tell(
      'MS0204',
      'info',
      server,
      where,
      `no container and no Service names a port ${server.spec.port}: the Server is about every port of ${namesOf(chosen)}`,
      {
        hint: 'port: 9080',
      },
    );
  else if (chosen.every(({ ports }) => ports !== null && !ports.includes(port)))
    tell('MS0204', 'warning', server, where, `${namesOf(chosen)} has no port ${port}, so the Server is about nothing`, {
      hint: `there are: ${[...new Set(chosen.flatMap(({ ports }) => ports ?? []))].join(', ')}`,
    });
}

interface Told {
  readonly seen: Map<string, Resource>;
  readonly tell: Tell;
}

/** Linkerd's admission refuses the second; here the older holds. */
function checkOverlap(
  server: Resource,
  { port }: PortAccess,
  chosen: readonly KnownWorkload[],
  { seen, tell }: Told,
): void {
  for (const { namespace, name } of chosen) {
    const key = `${namespace}/${name}:${port ?? ''}`;
    const other = seen.get(key);
    if (other === undefined) seen.set(key, server);
    else {
      tell(
        'MS0207',
        'error',
        server,
        null,
        `${other.name} is about the same port of ${name}: the older of both holds alone`,
      );
      return;
    }
  }
}

/** Somebody whom the mesh knows, or whom it does not, can meet a rule of it. */
function letsAnybodyIn(world: World, { rules }: PortAccess): boolean {
  const principals = accountsOf(world).map((account) => `cluster.local/ns/${account.replace('/', '/sa/')}`);
  return rules.some(
    ({ action, from }) =>
      action === 'allow' &&
      (from.length === 0 ||
        from.some((conditions) =>
          conditions.every(
            ({ subject, values }) =>
              subject.kind !== 'principal' ||
              values.some(({ kind, value }) =>
                principals.some((principal) =>
                  kind === 'exact' ? principal === value : kind === 'prefix' ? principal.startsWith(value) : true,
                ),
              ),
          ),
        )),
  );
}

function namesOf(workloads: readonly KnownWorkload[]): string {
  return workloads.map(({ name }) => name).join(', ');
}
