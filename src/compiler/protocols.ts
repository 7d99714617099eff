import type { AppPort, ServicePort } from '../model/app.js';
import type { Flavor } from '../model/flavor.js';
import type { ProtocolPolicy } from '../model/policies.js';

/** Ports of a service, or of a workload of it, that speak what policies say of services of its name. */
export function asDeclared<P extends AppPort>(
  service: string,
  ports: readonly P[],
  policies: readonly ProtocolPolicy[],
): readonly P[] {
  const said = policies.find((one) => one.service === service) ?? policies.find((one) => one.service === null);
  return said === undefined ? ports : ports.map((port) => ({ ...port, protocol: said.protocol }));
}

/**
 * What a port speaks where its resource leaves it open: a mesh that looks takes some ports for TCP by their numbers and
 * looks at the rest; one that does not goes by what the app's file says.
 */
export function withProtocol<P extends ServicePort>(port: P, flavor: Flavor, own: readonly ServicePort[]): P {
  if (port.protocol !== 'auto') return port;
  if (port.unknownProtocol === true && flavor.unknownProtocol === 'tcp') return { ...port, protocol: 'tcp' };
  if (flavor.opaquePorts.includes(port.port) && port.ownOpaque !== true) return { ...port, protocol: 'tcp' };
  if (flavor.detects) return port;
  const declared =
    own.find((one) => one.targetPort === port.targetPort || one.port === port.port) ??
    (port.targetName !== undefined && own.length === 1 ? own[0] : undefined);
  return { ...port, protocol: declared === undefined || declared.protocol === 'auto' ? 'tcp' : declared.protocol };
}
