import type { AccessRequest } from '../../matching/access-subject.js';
import type { Call, Filter, Peer } from '../pipeline/call.js';
import type { ExchangeRecord } from '../pipeline/exchange-record.js';
import type { AccessTable } from './access-table.js';

/** Asks who may call, for each request: a connection that is open is asked by the rules of now. */
export function authorize(table: () => AccessTable): Filter<Call> {
  return (next) => (call) => {
    const { http } = table();
    if (http !== null) http(requestOf(call), call.record);
    return next(call);
  };
}

/** The same for a TCP connection, once. Throws when it is kept out. */
export function authorizeConnection({ tcp }: AccessTable, peer: Peer, port: number, record: ExchangeRecord): void {
  if (tcp !== null) tcp({ ...addressesOf(peer), port, head: null, dropped: null, claims: null }, record);
}

export function requestOf({ peer, port, head, claims }: Call): AccessRequest {
  return { ...addressesOf(peer), port, head, dropped: head.dropped, claims };
}

function addressesOf(
  peer: Peer,
): Pick<AccessRequest, 'principal' | 'accounts' | 'peerAddress' | 'ownAddress' | 'serverName'> {
  const { principal, accounts, remoteAddress, ownAddress, serverName } = peer;
  return { principal, accounts, peerAddress: remoteAddress, ownAddress, serverName };
}
