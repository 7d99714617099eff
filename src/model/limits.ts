/** What a sidecar bears, on every connection and over all of them. Times are ms, sizes bytes. */
export interface SidecarLimits {
  /** Request line and fields of a request, status line and fields of an answer. */
  readonly headBytes: number;
  readonly headFields: number;
  readonly requestLineBytes: number;
  /** Extensions of all chunks of one body. */
  readonly chunkExtensionBytes: number;
  /** From the first byte of a head to its last. */
  readonly headMs: number;
  /** From a head to the last byte of a body of announced length; null = no limit. Chunked bodies are streams: none. */
  readonly requestMs: number | null;
  /** Without a byte either way while a request is under way; null = no limit. */
  readonly streamIdleMs: number | null;
  /** Between requests on a connection from a caller. */
  readonly idleMs: number;
  /** Unused connections to the app: below the 5 s after which Node's own servers close theirs. */
  readonly appIdleMs: number;
  /** Unused connections to other sidecars. */
  readonly sidecarIdleMs: number;
  /** Opening a connection to the own app. */
  readonly appConnectMs: number;
  readonly handshakeMs: number;
  /** How long a connection that says nothing may be TLS still, by what its port is declared as. */
  readonly sniffHttpMs: number;
  readonly sniffTcpMs: number;
  /** How long a connection whose port says nothing may be silent before it counts as TCP; 0 = it is waited for. */
  readonly detectMs: number;
  /** Connections from callers; more are reset and counted. */
  readonly connections: number;
  /** Requests that wait unread behind the one that is answered. */
  readonly pipelineBytes: number;
  /** Calls on one way, as far as apps pass `traceparent` on; one more is a loop. */
  readonly hops: number;
  /** Interim answers before the final one. */
  readonly interimAnswers: number;
  /** Bodies up to this size are kept for another try, or for a mirror. */
  readonly replayBytes: number;
  /** Share of the memory allowed from which answers ask callers to close, percent. */
  readonly keepAliveMemoryPercent: number;
  /** Share of the memory allowed from which requests are turned away, percent. */
  readonly shedMemoryPercent: number;
}

/** What becomes of escaped and doubled slashes in a path: one slash, or what they are. */
export type Slashes = 'merge' | 'keep';

/** Safe from the first start; sources: shared practice of Envoy's edge guide, Linkerd and Node. */
export const DEFAULT_SIDECAR_LIMITS: SidecarLimits = {
  headBytes: 16 * 1024,
  headFields: 100,
  requestLineBytes: 8 * 1024,
  chunkExtensionBytes: 4 * 1024,
  headMs: 10_000,
  requestMs: 60_000,
  streamIdleMs: 60_000,
  idleMs: 60_000,
  appIdleMs: 3_000,
  sidecarIdleMs: 30_000,
  appConnectMs: 1_000,
  handshakeMs: 5_000,
  sniffHttpMs: 2_000,
  sniffTcpMs: 40,
  detectMs: 0,
  connections: 1_024,
  pipelineBytes: 64 * 1024,
  hops: 10,
  interimAnswers: 8,
  replayBytes: 64 * 1024,
  keepAliveMemoryPercent: 92,
  shedMemoryPercent: 95,
};
