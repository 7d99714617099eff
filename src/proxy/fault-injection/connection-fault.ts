import { tlsTo } from '../../model/cluster.js';
import { describeFaultAction } from '../../model/fault.js';
import type { EndpointCall, Filter } from '../pipeline/call.js';
import { type FaultParts, isDrawn } from './ledger.js';

/**
 * Faults of connections (refused, TLS, DNS), in the caller's sidecar, since a connection that does not come about is
 * never seen at the other side. They meet every try. TLS faults leave plaintext alone: there is nothing to break.
 */
export function injectConnectionFaults(parts: FaultParts & { readonly app: () => string }): Filter<EndpointCall> {
  return (next) => (call) => {
    const faults = parts.faults();
    if (faults.length === 0) return next(call);
    const { routed } = call.attempt;
    const { config } = routed.cluster;
    const plain = tlsTo(config, call.endpoint.config) === null && config.originate === undefined;
    // Callers are named by their service too; at the callee the certificate tells it, here we are it.
    routed.call.sourceApp = parts.app();
    for (const fault of faults) {
      const { connection } = fault.action;
      if (connection === null || (fault.to !== config.service && fault.to !== call.endpoint.config.workload)) continue;
      if (plain && (connection === 'tls-failure' || connection === 'expired-certificate')) continue;
      if (!isDrawn(fault, routed.call, parts)) continue;
      parts.ledger.hit(fault.name);
      routed.call.record.decide({
        kind: 'fault',
        text: `fault ${fault.name} acted: ${describeFaultAction(fault.action)}`,
        rule: fault.name,
        source: null,
      });
      call.sabotage = connection;
      break;
    }
    return next(call);
  };
}
