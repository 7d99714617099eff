import { NAMESPACE } from '../../model/names.js';
import { ofKind, type Resource } from '../resource.js';
import type { FailoverWords, RedirectWords, ServiceResolver, ServiceRouter, ServiceSplitter } from './routing.js';
import type { HeaderChanges } from './words.js';

/**
 * Consul's discovery chain: router, then splitter, then resolver of a service. Source: consul
 * `agent/consul/discoverychain/compile.go`. Entries are found by their names alone: a cluster has one namespace, whatever
 * that of Kubernetes is in which a CRD stands (consul-k8s without Enterprise).
 */

/** Whom a request is for; no subset = ''. */
export interface Target {
  readonly service: string;
  readonly namespace: string;
  readonly subset: string;
}

/** A part of the requests of a splitter, those that it splits again included. */
export interface Share {
  readonly target: Target;
  /** 0-100 */
  readonly percent: number;
  readonly requestHeaders: HeaderChanges | undefined;
  readonly responseHeaders: HeaderChanges | undefined;
}

/** What a resolver sends elsewhere. */
type Aim = Pick<RedirectWords, 'service' | 'serviceSubset' | 'namespace'>;

export class Chain {
  readonly routers: ReadonlyMap<string, Resource<ServiceRouter>>;
  readonly splitters: ReadonlyMap<string, Resource<ServiceSplitter>>;
  readonly resolvers: ReadonlyMap<string, Resource<ServiceResolver>>;

  constructor(resources: readonly Resource[]) {
    this.routers = byName(ofKind<ServiceRouter>(resources, 'consul', 'ServiceRouter'));
    this.splitters = byName(ofKind<ServiceSplitter>(resources, 'consul', 'ServiceSplitter'));
    this.resolvers = byName(ofKind<ServiceResolver>(resources, 'consul', 'ServiceResolver'));
  }

  resolverOf({ service, namespace }: Target): Resource<ServiceResolver> | undefined {
    return namespace === NAMESPACE ? this.resolvers.get(service) : undefined;
  }

  splitterOf({ service, namespace, subset }: Target): Resource<ServiceSplitter> | undefined {
    return namespace === NAMESPACE && subset === '' ? this.splitters.get(service) : undefined;
  }

  /** Redirects one after the other, and the subset that is meant where none is named; `loop` = there is no end to it. */
  resolve(target: Target): { readonly target: Target; readonly loop: boolean } {
    const seen = new Set<string>();
    let now = target;
    for (;;) {
      const key = targetText(now);
      if (seen.has(key)) return { target, loop: true };
      seen.add(key);
      const spec = this.resolverOf(now)?.spec;
      const aimed = spec?.redirect === undefined ? now : aimedAt(now, spec.redirect);
      const next =
        targetText(aimed) === key && now.subset === '' ? { ...now, subset: spec?.defaultSubset ?? '' } : aimed;
      if (targetText(next) === key) return { target: now, loop: false };
      now = next;
    }
  }

  /** Where requests for a service go once no router says otherwise; each splitter is asked once on a way. */
  sharesOf(target: Target, way: readonly string[] = []): Share[] {
    const splitter = this.splitterOf(target);
    if (splitter === undefined || way.includes(splitter.name))
      return [
        { target: this.resolve(target).target, percent: 100, requestHeaders: undefined, responseHeaders: undefined },
      ];
    return (splitter.spec.splits ?? []).flatMap((split) => {
      const next = targetOf(split, splitter.name);
      return this.sharesOf(next, [...way, splitter.name]).map((share) => ({
        target: share.target,
        percent: (share.percent * split.weight) / 100,
        requestHeaders: mergedChanges(split.requestHeaders, share.requestHeaders),
        responseHeaders: mergedChanges(split.responseHeaders, share.responseHeaders),
      }));
    });
  }

  /** Who is asked, in order, when nobody of a subset is well, by subset (`*` = of any). */
  failoverOf(name: string, failover: Readonly<Record<string, FailoverWords>>): Record<string, readonly Target[]> {
    return Object.fromEntries(
      Object.entries(failover).map(([subset, entry]) => {
        const failed = { service: name, namespace: NAMESPACE, subset: subset === '*' ? '' : subset };
        const targets = (entry.targets ?? [entry])
          .map((aim) => aimedAt(failed, aim))
          .filter((aimed) => targetText(aimed) !== targetText(failed))
          .map((aimed) => this.resolve(aimed).target);
        return [subset, targets];
      }),
    );
  }
}

/** Another service is meant as a whole, until a subset of it is named. */
export function aimedAt(target: Target, { service, serviceSubset, namespace }: Aim): Target {
  const other = {
    service: service ?? target.service,
    namespace: namespace ?? (service === undefined ? target.namespace : NAMESPACE),
  };
  const same = other.service === target.service && other.namespace === target.namespace;
  return { ...other, subset: serviceSubset ?? (same ? target.subset : '') };
}

/** What a route or a split names; where it names no service that which has the router or the splitter. */
export function targetOf({ service, serviceSubset, namespace }: Aim, owner: string): Target {
  return { service: service ?? owner, namespace: namespace ?? NAMESPACE, subset: serviceSubset ?? '' };
}

export function targetText({ service, namespace, subset }: Target): string {
  return `${subset}.${service}.${namespace}`;
}

/** What the inner splitter says goes before what the outer one does. */
function mergedChanges(outer: HeaderChanges | undefined, inner: HeaderChanges | undefined): HeaderChanges | undefined {
  if (outer === undefined || inner === undefined) return inner ?? outer;
  return {
    add: { ...outer.add, ...inner.add },
    set: { ...outer.set, ...inner.set },
    remove: [...(outer.remove ?? []), ...(inner.remove ?? [])],
  };
}

/** The oldest of several. */
function byName<S>(entries: readonly Resource<S>[]): Map<string, Resource<S>> {
  const named = new Map<string, Resource<S>>();
  for (const entry of entries) if (!named.has(entry.name)) named.set(entry.name, entry);
  return named;
}
