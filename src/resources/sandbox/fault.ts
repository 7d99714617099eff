import { type Fault as ActiveFault, type AnswerFault, CONNECTION_FAULTS } from '../../model/fault.js';
import { sourceOf } from '../../yaml/positions.js';
import {
  duration,
  flag,
  map,
  oneOf,
  percent,
  type Read,
  record,
  table,
  tableWith,
  text,
  whole,
} from '../../yaml/readers.js';
import { readPath, shortOr } from '../../yaml/route-match.js';
import { ofKind, type Report, type Resource } from '../resource.js';

/**
 * Our own kind `Fault` (`mesh-sandbox.dev/v1`): a sick service, acted at its own sidecars, so that the retries of its callers
 * meet it. (Istio's `fault` in a VirtualService acts in the callers' sidecars, before their retries.)
 */
const delay = shortOr(
  map(duration, (time) => ({ time, jitter: 0 })),
  map(tableWith(['time'], { time: duration, jitter: duration }), ({ time, jitter = 0 }) => ({ time, jitter })),
);

export const fault = tableWith(['to'], {
  to: text,
  from: text,
  match: table({ path: readPath, headers: record(text) }),
  percent,
  first: whole(1, 1_000_000_000),
  every: whole(1, 1_000_000_000),
  for: duration,
  delay,
  abort: whole(200, 599),
  reset: flag,
  blackhole: flag,
  connection: oneOf(CONNECTION_FAULTS),
  bandwidth: whole(1, 1_000_000_000),
  truncate: whole(0, 1_000_000_000),
  corrupt: flag,
  slowClose: duration,
});

export type Fault = Read<typeof fault>;

const ENDS = ['abort', 'reset', 'blackhole'] as const;
const ANSWERS = ['bandwidth', 'truncate', 'corrupt', 'slowClose'] as const;
const ACTS = ['delay', 'connection', ...ENDS, ...ANSWERS] as const;

/** What cannot be done together, or at all. */
export function checkFault({ spec }: Resource<Fault>, report: Report): void {
  const said = (keys: readonly (typeof ACTS)[number][]) => keys.filter((key) => spec[key] !== undefined);
  const refuse = (key: string | undefined, message: string, hint: string): void =>
    report('MS0010', 'error', key === undefined ? null : sourceOf(spec, key), message, hint);
  const ends = said(ENDS);
  if (said(ACTS).length === 0)
    refuse(undefined, 'the fault does nothing', 'abort: 503, delay: 2s or another of its kinds');
  if (ends.length > 1)
    refuse(ends[1], `a fault ends a request in one way, not by ${ends.join(' and ')}`, 'make two faults of it');
  if (spec.connection !== undefined && said(ACTS).length > 1)
    refuse('connection', 'without a connection there is nothing to delay or to answer', 'make two faults of it');
  if (ends.length > 0 && said(ANSWERS).length > 0)
    refuse(said(ANSWERS)[0], 'a fault that ends the request leaves no answer to change', 'make two faults of it');
}

/** Faults as sidecars obey them; `for` counts from when one was applied. */
export function faultsOf(resources: readonly Resource[]): ActiveFault[] {
  return ofKind<Fault>(resources, 'sandbox', 'Fault').map(({ namespace, name, created, spec }) => ({
    name: `${namespace}/${name}`,
    to: spec.to,
    match: {
      from: spec.from ?? null,
      path: spec.match?.path ?? null,
      headers: Object.fromEntries(
        Object.entries(spec.match?.headers ?? {}).map(([field, value]) => [field.toLowerCase(), value]),
      ),
    },
    action: {
      connection: spec.connection ?? null,
      delay: spec.delay === undefined ? null : { ms: spec.delay.time, jitterMs: spec.delay.jitter },
      end: endOf(spec),
      answer: answerOf(spec),
    },
    percent: spec.percent ?? 100,
    first: spec.first ?? null,
    every: spec.every ?? null,
    until: spec.for === undefined ? null : created + spec.for,
    enabled: true,
  }));
}

function endOf({ abort, reset, blackhole }: Fault): ActiveFault['action']['end'] {
  if (abort !== undefined) return { kind: 'abort', status: abort };
  if (blackhole === true) return { kind: 'blackhole' };
  return reset === true ? { kind: 'reset' } : null;
}

function answerOf(spec: Fault): AnswerFault | null {
  if (ANSWERS.every((key) => spec[key] === undefined)) return null;
  const { bandwidth = null, truncate = null, corrupt = false, slowClose = null } = spec;
  return { bytesPerSecond: bandwidth, truncateAfter: truncate, corrupt, slowCloseMs: slowClose };
}
