import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import { AttemptCall, Call, type Filter, type Handler, RoutedCall } from '../pipeline/call.js';
import type { ClusterState } from '../pipeline/cluster.js';
import { ExchangeRecord } from '../pipeline/exchange-record.js';
import { ProxyError } from '../pipeline/proxy-error.js';

export interface MirrorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly clusters: () => ReadonlyMap<string, ClusterState>;
  /** Most of a body that is kept for a copy, bytes; the copy of a longer one breaks off. */
  readonly bodyBytes: () => number;
  /** The way of a copy: an endpoint of its cluster, one try. */
  readonly send: Handler<AttemptCall>;
}

/** A copy that nobody answers is given up after this time where its route has no timeout, ms. */
const PATIENCE_MS = 60_000;

/**
 * Sends copies of requests to the route's mirrors and forgets them: what they answer, and whether they do, never reaches
 * the caller. A copy has the method, path, Host, fields and body of what the app of the route's destination gets.
 */
export function mirror(parts: MirrorParts): Filter<RoutedCall> {
  return (next) => (routed) => {
    const { mirrors } = routed.route;
    if (mirrors.length > 0) for (const { cluster, percent } of mirrors) copyTo(cluster, percent, routed, parts);
    return next(routed);
  };
}

function copyTo(name: string, percent: number, routed: RoutedCall, parts: MirrorParts): void {
  const { call, route } = routed;
  if (parts.random.decide(call.record.requestId, `mirror ${route.name} ${name}`) * 100 >= percent) return;
  const cluster = parts.clusters().get(name);
  // Upgrades have no body that could be copied.
  if (call.head.upgrade !== '') return;
  call.record.decide({
    kind: 'mirror',
    text:
      cluster === undefined ? `no copy was sent: ${name} does not exist` : `a copy went to ${cluster.config.service}`,
    rule: route.name,
    source: null,
  });
  if (cluster === undefined) return;
  const copy = copyOf(call, parts);
  const attempt = new AttemptCall(
    new RoutedCall(copy, { ...route, retry: null, mirrors: [] }, cluster),
    1,
    copy.record.started,
  );
  copy.active = attempt;
  const timer = parts.clock.after(route.timeoutMs ?? PATIENCE_MS, () => copy.cancel(new ProxyError('request_timeout')));
  const done = (): void => timer.cancel();
  forget(attempt, parts.send, done);
}

function copyOf(call: Call, parts: MirrorParts): Call {
  const record = new ExchangeRecord(0, call.record.direction, parts.clock.monotonic());
  record.requestId = call.record.requestId;
  const head = { ...call.head, fields: call.head.fields.clone() };
  return new Call(head, call.body.copy(parts.bodyBytes()), record, call.peer, call.port, call.originalAddress);
}

/** The answer is read to its end, so that its connection can be used again, and thrown away. */
function forget(attempt: AttemptCall, send: Handler<AttemptCall>, done: () => void): void {
  try {
    send(attempt).then(({ body, tunnel }) => {
      tunnel?.destroy();
      body.attach({ onChunk: () => true, onEnd: done, onError: done });
    }, done);
  } catch {
    done();
  }
}
