/** Figures: what sidecars count, and what the control plane makes of it. */

/** One request count per distinct combination since the last report (a delta). */
export interface EdgeDelta {
  readonly direction: 'outbound' | 'inbound' | 'gateway';
  /** Caller: workload name, or `unknown` for plaintext from outside. */
  readonly source: string;
  readonly sourcePrincipal: string;
  /** Service asked for; empty for what the gateway answered itself. */
  readonly service: string;
  /** Workload that answered last; empty when none was chosen. */
  readonly destination: string;
  readonly destinationPrincipal: string;
  readonly code: number;
  /** Envoy flags joined by `,`; `-` for none. */
  readonly flags: string;
  readonly security: 'mutual_tls' | 'none';
  readonly protocol: 'http' | 'tcp';
  readonly requests: number;
  /** Sparse latency histogram: [bucket, count, bucket, count, …], buckets of `model/histogram.ts`. */
  readonly latency: readonly number[];
  readonly sumMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Tries at one endpoint's workload since the last report (outbound and gateway sidecars only). */
export interface AttemptDelta {
  readonly source: string;
  readonly service: string;
  readonly destination: string;
  readonly attempts: number;
  /** 5xx or no answer. */
  readonly failures: number;
  /** Attempts with a number above 1. */
  readonly retries: number;
}

/** Live figures of one edge (caller workload → callee workload) over the last window, as screens show them. */
export interface EdgeStats {
  readonly source: string;
  readonly service: string;
  readonly destination: string;
  /** Requests per second as the caller sees them (effective). */
  readonly rps: number;
  /** Share 0-1 of requests that ended well for the caller: no 5xx, answered. Null = no requests in the window. */
  readonly successRate: number | null;
  /** Tries per second as the callee sees them (actual); actual - effective = retry load. */
  readonly attemptsPerSecond: number;
  readonly attemptSuccessRate: number | null;
  readonly retriesPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Share 0-1 over mutual TLS of the requests that crossed. Null = none reached the other side. */
  readonly mtlsShare: number | null;
  readonly protocol: 'http' | 'tcp';
  /** Epoch ms of the last request. */
  readonly lastSeen: number;
}

/** CPU and memory of one part of the sandbox, measured from outside by the runtime. */
export interface PartUsage {
  /** `reviews-v1/sidecar`, `reviews-v1/app`, `gateway`, `control-plane`, `load`. */
  readonly part: string;
  /** CPU use since the previous sample, 1 = one core. */
  readonly cpu: number;
  readonly memoryBytes: number;
}
