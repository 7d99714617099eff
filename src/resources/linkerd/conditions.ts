import type { RetryCondition } from '../../model/route.js';

const GRPC: readonly RetryCondition[] = [
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
];

/**
 * Statuses that `retry.linkerd.io/http` means; null = it cannot be read. Linkerd looks at answers only, never at resets, and
 * takes spaces between words for a part of them.
 */
export function httpConditions(value: string): number[] | null {
  const codes: number[] = [];
  for (const word of value.split(',')) {
    const range = rangeOf(word.toLowerCase());
    if (range === null) return null;
    for (let code = range[0]; code <= range[1]; code++) codes.push(code);
  }
  return codes;
}

function rangeOf(word: string): readonly [number, number] | null {
  if (word === '5xx') return [500, 599];
  if (word === 'gateway-error') return [502, 504];
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(word);
  if (match === null) return null;
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return from <= to ? [from, to] : null;
}

/** What `retry.linkerd.io/grpc` means; null = it cannot be read. */
export function grpcConditions(value: string): RetryCondition[] | null {
  const words = value.toLowerCase().split(',');
  const known = GRPC.filter((word) => words.includes(word));
  return words.every((word) => known.some((one) => one === word)) ? known : null;
}
