import { selectorOf } from '../istio/authorization.js';
import type { Deployment } from '../kubernetes/deployment.js';
import type { ServiceObject } from '../kubernetes/service.js';
import { ofKind, type Resource } from '../resource.js';
import type { Server } from './server.js';

/** Which pods a Server is about, and which port of theirs; null = all of them. */
export interface ServerPlace {
  readonly selector: Readonly<Record<string, string>> | null;
  readonly port: number | null;
}

/**
 * A port by name is what a container or a Service calls so. Where nobody does, the Server is about every port of its pods:
 * a Compose file has no names for ports, and what is protected too much is noticed.
 */
export function placeOfServer({ namespace, spec }: Resource<Server>, resources: readonly Resource[]): ServerPlace {
  const selector = selectorOf(spec.podSelector);
  const { port } = spec;
  if (typeof port === 'number') return { selector, port };
  return { selector, port: containerPort(port, namespace, resources) ?? servicePort(port, namespace, resources) };
}

function containerPort(name: string, namespace: string, resources: readonly Resource[]): number | null {
  const found = ofKind<Deployment>(resources, 'kubernetes', 'Deployment')
    .filter((one) => one.namespace === namespace)
    .flatMap(({ spec }) => spec.template?.spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .find((port) => port.name === name);
  return found?.containerPort ?? null;
}

function servicePort(name: string, namespace: string, resources: readonly Resource[]): number | null {
  const ports = ofKind<ServiceObject>(resources, 'kubernetes', 'Service')
    .filter((one) => one.namespace === namespace)
    .flatMap(({ spec }) => spec.ports ?? []);
  const found = ports.find((port) => port.name === name || port.targetPort === name);
  if (found === undefined) return null;
  const target = Number(found.targetPort ?? found.port);
  return Number.isInteger(target) ? target : found.port;
}
