import * as z from 'zod';
import { FAILURES, type FailureCode } from '../../model/failure.js';
import type { ToControlPlane } from '../../protocol/control-stream.js';

/*
 * What workloads may say, field by field. A workload is less trusted than the control plane: its word is checked before
 * anything is done with it (cf. CVE-2022-23635, where a message without a field ended istiod). Fields that we do not
 * know are dropped, so that a newer sidecar can speak to an older control plane.
 */

const text = z.string();
const count = z.int().nonnegative();
const amount = z.number().nonnegative();
const port = z.int().min(1).max(65_535);
const ports = z.record(text, port);
const direction = z.enum(['outbound', 'inbound', 'gateway']);
const failure = z.enum(Object.keys(FAILURES) as [FailureCode, ...FailureCode[]]).nullable();
const party = { workload: text, principal: text };

const edge = z.object({
  direction,
  source: text,
  sourcePrincipal: text,
  service: text,
  destination: text,
  destinationPrincipal: text,
  code: count,
  flags: text,
  security: z.enum(['mutual_tls', 'none']),
  protocol: z.enum(['http', 'tcp']),
  requests: count,
  latency: z.array(count),
  sumMs: amount,
  requestBytes: count,
  responseBytes: count,
});

const attempts = z.object({
  source: text,
  service: text,
  destination: text,
  attempts: count,
  failures: count,
  retries: count,
});

const sourceRef = z.object({ file: text, line: count, column: count });

const decision = z.object({
  kind: z.enum([
    'route',
    'split',
    'endpoint',
    'retry',
    'fault',
    'timeout',
    'mtls',
    'passthrough',
    'mirror',
    'rate-limit',
    'authorization',
    'token',
  ]),
  text,
  rule: text,
  source: sourceRef.nullable(),
});

const attempt = z.object({
  number: count,
  endpoint: text,
  workload: text,
  startedMs: amount,
  durationMs: amount,
  status: count,
  failure,
  next: text,
  reusedConnection: z.boolean(),
});

const exchange = z.object({
  id: text,
  kind: z.enum(['http', 'tcp']),
  requestId: text,
  traceId: text,
  spanId: text,
  parentSpanId: text,
  reporter: z.object({ workload: text, direction }),
  source: z.object(party),
  destination: z.object({ ...party, service: text, port: count }),
  startedAt: z.number(),
  durationMs: amount,
  request: z.object({ method: text, path: text, host: text, bytes: count }),
  response: z.object({ status: count, bytes: count }),
  failure,
  flags: z.array(text),
  details: text,
  decisions: z.array(decision),
  considered: z.array(z.object({ rule: text, source: sourceRef.nullable(), why: text })).max(64),
  attempts: z.array(attempt),
  security: z.object({ mode: z.enum(['mtls', 'tls', 'plain']), peer: text, tlsVersion: text, cipher: text }),
  timings: z.object({
    queueMs: amount,
    connectMs: amount,
    handshakeMs: amount,
    upstreamMs: amount,
    bodyMs: amount,
    ownMs: amount,
  }),
  version: count,
});

const incident = z.object({
  at: z.number(),
  reporter: text,
  kind: z.enum(['ejected', 'spared', 'returned', 'opened', 'probed', 'closed', 'shed', 'relieved']),
  service: text,
  workload: text,
  endpoint: text,
  text,
});

const message: z.ZodType<ToControlPlane> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('join'), token: text, csr: text }),
  z.object({
    type: z.literal('hello'),
    workload: text,
    program: z.enum(['sidecar', 'gateway', 'load']),
    version: count,
    listenPorts: ports,
    appReady: z.boolean(),
    startedAt: z.number(),
  }),
  z.object({ type: z.literal('ack'), version: count }),
  z.object({ type: z.literal('nack'), version: count, reason: text }),
  z.object({ type: z.literal('csr'), csr: text }),
  z.object({ type: z.literal('health'), appReady: z.boolean() }),
  z.object({ type: z.literal('ports'), listenPorts: ports }),
  z.object({
    type: z.literal('metrics'),
    edges: z.array(edge),
    attempts: z.array(attempts),
    faultHits: z.record(text, count),
    cpuMicros: amount,
    rssBytes: amount,
    openConnections: count,
  }),
  z.object({ type: z.literal('exchanges'), exchanges: z.array(exchange), dropped: count }),
  z.object({ type: z.literal('incidents'), incidents: z.array(incident).max(1_000) }),
  z.object({ type: z.literal('load-report'), sent: count, ok: count, failed: count, missed: count }),
]);

/** What a workload said. Throws an Error that names the first field that is not as the conversation wants it. */
export function readMessage(value: unknown): ToControlPlane {
  const result = message.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`not a message of the control stream: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}
