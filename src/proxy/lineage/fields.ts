import type { Propagation } from '../../model/propagation.js';
import type { Clock } from '../../platform/clock.js';
import type { FieldBlock } from '../codec/field-block.js';
import { type AttemptCall, FIRST_CALL, type Lineage } from '../pipeline/call.js';

const HOPS = 'x-mesh-hops';
const DEADLINE = 'x-mesh-deadline-ms';
const ATTEMPT = 'x-mesh-attempt';
/** No route allows more: a day. */
const LONGEST_MS = 86_400_000;

/**
 * What a sidecar that proved who it is says about the call it sends on. Numbers that are none, or out of range, say
 * nothing.
 */
export function readLineage(fields: FieldBlock, propagation: Propagation, clock: Clock): Lineage {
  const hops = whole(fields.get(HOPS), 1_000) ?? 1;
  if (!propagation.deadline && !propagation.retries) return hops === 1 ? FIRST_CALL : { ...FIRST_CALL, hops };
  const left = whole(fields.get(DEADLINE), LONGEST_MS);
  const retried = fields.get(ATTEMPT) !== undefined;
  if (hops === 1 && left === null && !retried) return FIRST_CALL;
  return { hops, until: left === null ? Number.POSITIVE_INFINITY : clock.monotonic() + left, retried };
}

/** The lines by which the next sidecar learns it. The first hop, and what is not to be propagated, need none. */
export function lineageLines(attempt: AttemptCall, propagation: Propagation, clock: Clock): string {
  const { call, until, route } = attempt.routed;
  let lines = call.lineage.hops > 1 ? `${HOPS}: ${call.lineage.hops}\r\n` : '';
  if (propagation.deadline && until !== Number.POSITIVE_INFINITY)
    lines += `${DEADLINE}: ${Math.max(0, Math.floor(until - clock.monotonic()))}\r\n`;
  if (propagation.retries && (call.lineage.retried || (route.retry?.attempts ?? 0) > 0))
    lines += `${ATTEMPT}: ${attempt.number}\r\n`;
  return lines;
}

function whole(text: string | undefined, most: number): number | null {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return null;
  const number = Number(text);
  return number <= most ? number : null;
}
