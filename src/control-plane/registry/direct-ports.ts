import type { AppSpec } from '../../model/app.js';
import type { WorkloadRecord } from './registry.js';

/**
 * Where an app outside the mesh dials each service on loopback, as `out:<service>:<port>`: the port of one instance, the
 * first that is known, since nobody is there to balance. Of a meshed one that is its sidecar's inbound port, of another
 * one outside the mesh its app's own.
 */
export function directPorts({ services }: AppSpec, records: readonly WorkloadRecord[]): Record<string, number> {
  const direct: Record<string, number> = {};
  for (const { name, ports } of services) {
    const instances = records.filter(({ spec }) => spec?.app === name);
    for (const { port } of ports) {
      const dial = instances.map(({ listenPorts }) => listenPorts[`in:${port}`]).find((found) => found !== undefined);
      if (dial !== undefined) direct[`out:${name}:${port}`] = dial;
    }
  }
  return direct;
}
