import type { AppSpec, WorkloadSpec } from '../../model/app.js';
import { bucketMiddle } from '../../model/histogram.js';
import type { EdgeDelta } from '../../model/metrics.js';
import { NAMESPACE } from '../../model/names.js';

/** Upper bounds of Istio's duration buckets, ms. */
const BOUNDS = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

interface Series {
  readonly labels: string;
  readonly buckets: number[];
  count: number;
  sumMs: number;
  requestBytes: number;
  responseBytes: number;
}

/**
 * Istio's standard metrics as Prometheus text: names and labels as Istio's telemetry has them, so that its dashboards
 * and queries fit. Counters live as long as the control plane's process.
 */
export class Prometheus {
  readonly #workloads: ReadonlyMap<string, WorkloadSpec>;
  readonly #series = new Map<string, Series>();

  readonly #app: AppSpec;

  constructor(app: AppSpec) {
    this.#app = app;
    this.#workloads = new Map(app.workloads.map((spec) => [spec.name, spec]));
  }

  add(edges: readonly EdgeDelta[]): void {
    for (const delta of edges) {
      const labels = this.#labels(delta);
      let series = this.#series.get(labels);
      if (series === undefined) {
        series = { labels, buckets: BOUNDS.map(() => 0), count: 0, sumMs: 0, requestBytes: 0, responseBytes: 0 };
        this.#series.set(labels, series);
      }
      addDelta(series, delta);
    }
  }

  text(): string {
    const all = [...this.#series.values()];
    return [
      '# TYPE istio_requests_total counter',
      ...all.map(({ labels, count }) => `istio_requests_total{${labels}} ${count}`),
      '# TYPE istio_request_duration_milliseconds histogram',
      ...all.flatMap(durationLines),
      '# TYPE istio_request_bytes_total counter',
      ...all.map(({ labels, requestBytes }) => `istio_request_bytes_total{${labels}} ${requestBytes}`),
      '# TYPE istio_response_bytes_total counter',
      ...all.map(({ labels, responseBytes }) => `istio_response_bytes_total{${labels}} ${responseBytes}`),
      '',
    ].join('\n');
  }

  #labels(delta: EdgeDelta): string {
    const service = this.#app.services.find(({ name }) => name === delta.service);
    const pairs: [string, string][] = [
      ['reporter', delta.direction === 'inbound' ? 'destination' : 'source'],
      ['source_workload', delta.source],
      ['source_workload_namespace', this.#workloads.get(delta.source)?.namespace ?? NAMESPACE],
      ['source_principal', delta.sourcePrincipal || 'unknown'],
      ['source_app', this.#workloads.get(delta.source)?.app ?? delta.source],
      ['source_version', this.#workloads.get(delta.source)?.version ?? 'unknown'],
      ['destination_workload', delta.destination || 'unknown'],
      ['destination_workload_namespace', this.#workloads.get(delta.destination)?.namespace ?? NAMESPACE],
      ['destination_principal', delta.destinationPrincipal || 'unknown'],
      ['destination_app', this.#workloads.get(delta.destination)?.app ?? 'unknown'],
      ['destination_version', this.#workloads.get(delta.destination)?.version ?? 'unknown'],
      ['destination_service', service?.host ?? (delta.service || 'unknown')],
      ['destination_service_name', delta.service || 'unknown'],
      ['destination_service_namespace', service?.namespace ?? NAMESPACE],
      ['request_protocol', delta.protocol],
      ['response_code', String(delta.code)],
      ['response_flags', delta.flags],
      ['connection_security_policy', delta.direction === 'inbound' ? delta.security : 'unknown'],
    ];
    return pairs.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',');
  }
}

function addDelta(series: Series, delta: EdgeDelta): void {
  series.count += delta.requests;
  series.sumMs += delta.sumMs;
  series.requestBytes += delta.requestBytes;
  series.responseBytes += delta.responseBytes;
  for (let i = 0; i + 1 < delta.latency.length; i += 2) {
    const ms = bucketMiddle(delta.latency[i] as number);
    const bound = BOUNDS.findIndex((upper) => ms <= upper);
    if (bound >= 0) series.buckets[bound] = (series.buckets[bound] as number) + (delta.latency[i + 1] as number);
  }
}

function durationLines({ labels, buckets, count, sumMs }: Series): string[] {
  const name = 'istio_request_duration_milliseconds';
  let below = 0;
  const lines = BOUNDS.map((bound, i) => {
    below += buckets[i] as number;
    return `${name}_bucket{${labels},le="${bound}"} ${below}`;
  });
  return [
    ...lines,
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sumMs}`,
    `${name}_count{${labels}} ${count}`,
  ];
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
