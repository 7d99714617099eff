import type { Fields } from '../../matching/match.js';

/** gRPC asks, and is answered with status 200 whatever happened. */
export function isGrpc(fields: Fields): boolean {
  const type = fields.get('content-type');
  return type !== undefined && /^application\/grpc(?:\+|;|$)/.test(type);
}

/** gRPC's mapping of HTTP statuses (grpc/grpc `doc/http-grpc-status-mapping.md`). */
export function grpcStatusOf(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}
