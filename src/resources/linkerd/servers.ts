import type { LabelFilter } from '../../model/label-filter.js';
import { selectorOf } from '../istio/authorization.js';
import type { Deployment } from '../kubernetes/deployment.js';
import type { ServiceObject } from '../kubernetes/service.js';
import { ofKind, type Resource } from '../resource.js';
import type { Server } from './server.js';
import { filterOf, isChosen, type PodSelector } from './words.js';

/** Which pods a Server is about, and which port of theirs; null = all of them. */
export interface ServerPlace {
  readonly selector: Readonly<Record<string, string>> | null;
  readonly filter?: LabelFilter;
  readonly port: number | null;
}

/**
 * A port by name is what containers of its pods, or Services that stand for them, call so: several may, each with another
 * number. Where nobody does, a Server that chooses by labels is about every port of its pods: a Compose file has no names
 * for ports, and what is protected too much is noticed; one that chooses everybody is about none.
 */
export function placesOfServer({ namespace, spec }: Resource<Server>, resources: readonly Resource[]): ServerPlace[] {
  const { podSelector = {}, port } = spec;
  const filter = filterOf(podSelector);
  const selector = selectorOf(podSelector);
  const at = (number: number | null): ServerPlace => ({
    selector,
    ...(filter === undefined ? {} : { filter }),
    port: number,
  });
  if (typeof port === 'number') return [at(port)];
  const named = portsNamed(port, podSelector, namespace, resources);
  if (named.length > 0) return named.map(at);
  return selector === null && filter === undefined ? [] : [at(null)];
}

function portsNamed(
  name: string,
  selector: PodSelector,
  namespace: string,
  resources: readonly Resource[],
): readonly number[] {
  const own = <S>(kind: string): readonly Resource<S>[] =>
    ofKind<S>(resources, 'kubernetes', kind).filter((one) => one.namespace === namespace);
  const containers = own<Deployment>('Deployment')
    .filter(({ spec }) => isChosen(selector, spec.template?.metadata?.labels ?? {}))
    .flatMap(({ spec }) => spec.template?.spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .flatMap((port) => (port.name === name ? (port.containerPort ?? []) : []));
  if (containers.length > 0) return [...new Set(containers)];
  const services = own<ServiceObject>('Service')
    .filter(({ spec }) => isChosen(selector, spec.selector ?? {}))
    .flatMap(({ spec }) => spec.ports ?? [])
    .filter((port) => port.name === name || port.targetPort === name)
    .map((port) =>
      Number.isInteger(Number(port.targetPort ?? port.port)) ? Number(port.targetPort ?? port.port) : port.port,
    );
  return [...new Set(services)];
}
