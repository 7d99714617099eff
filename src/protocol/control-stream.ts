import type { Exchange } from '../model/exchange.js';
import type { CertificateRules } from '../model/flavor.js';
import type { AttemptDelta, EdgeDelta } from '../model/metrics.js';
import type { SidecarConfig } from '../model/sidecar-config.js';
import type { Incident } from '../model/timeline.js';
import type { ConfigPatch } from './config-patch.js';
import { configText, textOf } from './config-text.js';

/**
 * The conversation between a workload (sidecar, gateway, load generator) and the control plane: newline-delimited JSON,
 * both ways, over one TLS 1.3 connection. Rule of the conversation:
 *
 * 1. A workload without a certificate connects without one and sends exactly one `join` (one-time token and CSR). The
 *    control plane answers `identity` or `refused` and closes. The key never leaves the workload.
 * 2. With the certificate it connects again (mutual TLS) and sends `hello`. From here on the peer is who its
 *    certificate says, whatever it writes.
 * 3. The control plane sends `config` first, and from then on a `patch` of what it sent last whenever the workload's
 *    configuration changed; the workload answers `ack` or `nack` with the same version. On `nack` it keeps obeying the last
 *    good one; the next patch is still one of what was sent last.
 * 4. In the part of its certificate's life that `identity` names the workload sends `csr`; the answer is `identity`.
 * 5. Telemetry (`metrics`, `exchanges`, `incidents`, `health`) flows up whenever there is some. Nothing is acknowledged: a lost
 *    connection loses at most what was in flight, and it never delays a request.
 */
export type ToControlPlane =
  | { readonly type: 'join'; readonly token: string; readonly csr: string }
  | Hello
  | { readonly type: 'ack'; readonly version: number }
  | { readonly type: 'nack'; readonly version: number; readonly reason: string }
  | { readonly type: 'csr'; readonly csr: string }
  | { readonly type: 'health'; readonly appReady: boolean }
  | { readonly type: 'ports'; readonly listenPorts: Readonly<Record<string, number>> }
  | MetricsReport
  | { readonly type: 'exchanges'; readonly exchanges: readonly Exchange[]; readonly dropped: number }
  | { readonly type: 'incidents'; readonly incidents: readonly Incident[] }
  | LoadReport;

export type FromControlPlane =
  | IdentityMessage
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'config'; readonly config: SidecarConfig }
  | { readonly type: 'patch'; readonly patch: ConfigPatch }
  | { readonly type: 'load'; readonly load: LoadConfig };

export interface IdentityMessage {
  readonly type: 'identity';
  readonly certificate: string;
  readonly trustBundle: string;
  /** When to ask for the next one, as shares of the life that is left now. */
  readonly renewal: CertificateRules['renewal'];
}

export interface Hello {
  readonly type: 'hello';
  /** Must be one whose service account the certificate names. */
  readonly workload: string;
  readonly program: 'sidecar' | 'gateway' | 'load';
  /** Version of the configuration that is being obeyed now; 0 = none yet. */
  readonly version: number;
  /** `explicit` interception: where this sidecar listens, by `in:<port>` and `out:<service>:<port>`. Empty otherwise. */
  readonly listenPorts: Readonly<Record<string, number>>;
  readonly appReady: boolean;
  /** Process id as the process sees it, and its start (epoch ms): a new start means a restart happened. */
  readonly startedAt: number;
}

export interface MetricsReport {
  readonly type: 'metrics';
  readonly edges: readonly EdgeDelta[];
  readonly attempts: readonly AttemptDelta[];
  /** Hits of each fault since the last report. */
  readonly faultHits: Readonly<Record<string, number>>;
  /** CPU of this process since the last report, microseconds. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  readonly openConnections: number;
}

export interface LoadConfig {
  readonly rps: number;
  readonly paths: readonly string[];
}

export interface LoadReport {
  readonly type: 'load-report';
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  /** Requests that the schedule wanted but the generator could not start in time. */
  readonly missed: number;
}

/** Longest line either side accepts, in bytes; a longer one ends the connection. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** Splits a byte stream into JSON messages. Throws on a line over the limit, bad JSON or a value without `type`. */
export class NdjsonDecoder {
  #pending = '';
  readonly #limit: number;

  constructor(limit: number = MAX_LINE_BYTES) {
    this.#limit = limit;
  }

  /** Feeds text and returns the messages that it completed. The socket must decode UTF-8 (`setEncoding`). */
  push(text: string): { readonly type: string }[] {
    this.#pending += text;
    const messages: { readonly type: string }[] = [];
    let start = 0;
    for (;;) {
      const end = this.#pending.indexOf('\n', start);
      if (end < 0) break;
      if (end > start) messages.push(parseMessage(this.#pending.slice(start, end)));
      start = end + 1;
    }
    this.#pending = this.#pending.slice(start);
    if (this.#pending.length > this.#limit) throw new Error(`a message is longer than ${this.#limit} bytes`);
    return messages;
  }
}

/** One message as a line. */
export function encodeMessage(message: ToControlPlane | FromControlPlane): string {
  if (message.type === 'config') return `{"type":"config","config":${configText(message.config)}}\n`;
  if (message.type === 'patch') {
    const { outbound, ...patch } = message.patch;
    return `{"type":"patch","patch":${JSON.stringify(patch).slice(0, -1)},"outbound":${textOf(outbound)}}}\n`;
  }
  return `${JSON.stringify(message)}\n`;
}

function parseMessage(line: string): { readonly type: string } {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    throw new Error('a message is not an object with a type');
  }
  return value as { readonly type: string };
}
