import type { SidecarLimits } from '../model/limits.js';
import { duration, limit, map, percent, type Reader, table, whole } from '../yaml/readers.js';

interface LimitWords {
  headBytes: number;
  headFields: number;
  requestLineBytes: number;
  chunkExtensionBytes: number;
  headTimeout: number;
  requestTimeout: number | null;
  streamIdleTimeout: number | null;
  idleTimeout: number;
  appIdleTimeout: number;
  sidecarIdleTimeout: number;
  appConnectTimeout: number;
  handshakeTimeout: number;
  sniffHttpTimeout: number;
  sniffTcpTimeout: number;
  detectTimeout: number;
  connections: number;
  pipelineBytes: number;
  hops: number;
  interimAnswers: number;
  replayBytes: number;
  keepAliveMemoryPercent: number;
  shedMemoryPercent: number;
}

const bytes = whole(1, 64 * 1024 * 1024);

/** `x-mesh.limits`: what every sidecar bears; times as durations under the names that end in `Timeout`. */
export const readLimits: Reader<Partial<SidecarLimits>> = map(
  table<LimitWords>({
    headBytes: whole(256, 1024 * 1024),
    headFields: whole(1, 1_000),
    requestLineBytes: whole(64, 1024 * 1024),
    chunkExtensionBytes: whole(0, 1024 * 1024),
    headTimeout: duration,
    requestTimeout: limit,
    streamIdleTimeout: limit,
    idleTimeout: duration,
    appIdleTimeout: duration,
    sidecarIdleTimeout: duration,
    appConnectTimeout: duration,
    handshakeTimeout: duration,
    sniffHttpTimeout: duration,
    sniffTcpTimeout: duration,
    detectTimeout: duration,
    connections: whole(1, 1_000_000),
    pipelineBytes: bytes,
    hops: whole(1, 1_000),
    interimAnswers: whole(0, 1_000),
    replayBytes: whole(0, 64 * 1024 * 1024),
    keepAliveMemoryPercent: percent,
    shedMemoryPercent: percent,
  }),
  (read) =>
    Object.fromEntries(
      Object.entries(read).map(([name, value]) => [name.replace(/Timeout$/, 'Ms'), value]),
    ) as Partial<SidecarLimits>,
);
