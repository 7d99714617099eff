import type { DestinationPolicy, PortTraffic, TrafficSettings } from '../model/policies.js';
import type { Resource } from './resource.js';

const NOTHING = { pool: null, balancer: null, outlier: null, tls: null, retryBudget: null } as const;

/** What of a host is meant. */
export interface Place {
  readonly host: string;
  /** Null = all ports that nothing is said of. */
  readonly port: number | null;
}

/**
 * Adds settings that a resource has for a host, or for a port of it, to what is known of it in the same namespace: what that
 * says already stays, and where nothing is known it is a policy by itself.
 */
export function layTraffic(
  settings: Partial<TrafficSettings>,
  { host, port }: Place,
  object: Resource,
  known: DestinationPolicy[],
): void {
  let found = false;
  for (const [i, one] of known.entries()) {
    if (one.host !== host || one.object.namespace !== object.namespace) continue;
    found = true;
    known[i] = { ...one, traffic: laid(settings, port, one.traffic ?? { ...NOTHING, ports: [] }) };
  }
  if (found) return;
  known.push({
    object,
    host,
    visibleTo: null,
    callers: null,
    created: object.created,
    traffic: laid(settings, port, { ...NOTHING, ports: [] }),
    subsets: [],
  });
}

function laid(settings: Partial<TrafficSettings>, port: number | null, traffic: PortTraffic): PortTraffic {
  if (port === null) return { ...traffic, ...missingIn(traffic, settings) };
  const { ports, ...whole } = traffic;
  // What is said of a port takes the place of all the rest, so that it says the rest as well; but of TLS it speaks alone.
  const { settings: own } = ports.find((entry) => entry.port === port) ?? { settings: { ...whole, tls: null } };
  return {
    ...traffic,
    ports: [
      ...ports.filter((entry) => entry.port !== port),
      { port, settings: { ...own, ...missingIn(own, settings) } },
    ],
  };
}

function missingIn(known: TrafficSettings, settings: Partial<TrafficSettings>): TrafficSettings {
  return {
    pool: known.pool ?? settings.pool ?? null,
    balancer: known.balancer ?? settings.balancer ?? null,
    outlier: known.outlier ?? settings.outlier ?? null,
    tls: known.tls ?? settings.tls ?? null,
    retryBudget: known.retryBudget ?? settings.retryBudget ?? null,
  };
}
