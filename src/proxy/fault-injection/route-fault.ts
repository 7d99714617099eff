import { ruleText } from '../../matching/consider.js';
import type { RouteFault } from '../../model/route.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import { bodyOf } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { Call, Filter, Handler, Reply } from '../pipeline/call.js';
import { grpcStatusOf } from '../pipeline/grpc.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import type { MatchedCall } from '../pipeline/routes.js';
import { wait } from './wait.js';

interface RouteFaultParts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The fault of a route (Istio's `fault`), in the caller's sidecar: the delay, then the abort, each drawn by itself. It acts
 * before the route's timeout begins and before any try, so that no retry meets it.
 */
export function injectRouteFaults(parts: RouteFaultParts): Filter<MatchedCall> {
  return (next) => (matched) => {
    const fault = matched.route?.config.fault ?? null;
    return fault === null ? next(matched) : act(fault, matched, parts, next);
  };
}

async function act(
  { delay, abort }: RouteFault,
  matched: MatchedCall,
  { clock, random }: RouteFaultParts,
  next: Handler<MatchedCall>,
): Promise<Reply> {
  const { call, route } = matched;
  const rule = route?.config.name ?? '';
  const drawn = (purpose: string, percent: number): boolean =>
    random.decide(call.record.requestId, `${purpose} ${rule}`) * 100 < percent;
  if (delay !== null && drawn('fault delay', delay.percent)) {
    call.record.flag('DI');
    decide(matched, `delayed it by ${delay.ms} ms, as its fault says`);
    await wait(delay.ms, call, clock);
  }
  if (abort === null || !drawn('fault abort', abort.percent)) return next(matched);
  const grpc = (call.head.fields.get('content-type') ?? '').startsWith('application/grpc');
  const what = abort.grpcStatus === null ? `status ${abort.status}` : `gRPC status ${abort.grpcStatus}`;
  decide(matched, `aborted it with ${what}, as its fault says`);
  if (grpc) return grpcAbort(call, abort.grpcStatus ?? grpcStatusOf(abort.status));
  call.faultStatus = abort.grpcStatus === null ? abort.status : 200;
  throw new ProxyError('fault_abort', rule);
}

function decide({ call, route }: MatchedCall, text: string): void {
  if (route === null) return;
  const { name, origin } = route.config;
  call.record.decide({
    kind: 'fault',
    text: `${ruleText(route.config)} ${text}`,
    rule: name,
    source: origin?.source ?? null,
  });
}

/** gRPC failures are answers of status 200 that say so in a field. */
function grpcAbort(call: Call, status: number): Reply {
  call.record.fail('fault_abort');
  call.body.abandon();
  const fields = FieldBlock.of('server', 'mesh-sandbox');
  fields.append('content-type', 'application/grpc');
  fields.append('grpc-status', String(status));
  fields.append('grpc-message', 'fault filter abort');
  return {
    head: { status: 200, reason: 'OK', fields, length: 0, declaredLength: -1, keepAlive: true, upgraded: false },
    body: bodyOf(Buffer.alloc(0)),
    tunnel: null,
  };
}
