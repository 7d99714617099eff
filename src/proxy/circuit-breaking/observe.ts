import type { EndpointCall, Filter } from '../pipeline/call.js';
import { asProxyError } from '../pipeline/proxy-error.js';

/** Tells the watch of an endpoint what came of each try at it, as soon as the head of an answer or the failure is there. */
export function observeEndpoints(): Filter<EndpointCall> {
  return (next) => (call) => {
    const { watch } = call.endpoint;
    if (watch === null) return next(call);
    return next(call).then(
      (reply) => {
        watch.ended(reply.head.status);
        return reply;
      },
      (thrown) => {
        const error = asProxyError(thrown);
        watch.ended(error.code);
        throw error;
      },
    );
  };
}
