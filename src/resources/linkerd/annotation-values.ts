import { grpcConditions, httpConditions } from './conditions.js';

const UNITS: Readonly<Record<string, number | undefined>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A duration in an annotation, in ms: one whole number with one unit, `d` among them, or 0; neither `0.1s` nor `1m30s`
 * (linkerd2 `policy-controller/k8s/index`). Null = it is none.
 */
export function linkerdMs(written: string): number | null {
  const [, amount = '', unit = ''] = /^(\d{1,12})([a-z]*)$/.exec(written.trim()) ?? [];
  if (amount === '') return null;
  if (unit === '') return Number(amount) === 0 ? 0 : null;
  const factor = UNITS[unit];
  return factor === undefined ? null : Number(amount) * factor;
}

/** Whether an annotation may say something, and what to write instead. */
export interface Value {
  readonly isValid: (value: string) => boolean;
  readonly hint: string;
}

export const DURATION: Value = {
  isValid: (value) => linkerdMs(value) !== null,
  hint: 'a whole number and one of ms, s, m, h, d, such as 250ms or 10s',
};
export const ANYTHING: Value = { isValid: () => true, hint: '' };

export function count(most: number): Value {
  return {
    isValid: (value) => /^\d{1,10}$/.test(value) && Number(value) <= most,
    hint: `a whole number up to ${most}`,
  };
}

export function share(most: number): Value {
  return {
    isValid: (value) => value.trim() === value && value !== '' && Number(value) >= 0 && Number(value) <= most,
    hint: `a number from 0 to ${most}`,
  };
}

const HTTP: Value = {
  isValid: (value) => httpConditions(value) !== null,
  hint: '5xx, gateway-error, a status such as 503, or a range such as 500-504, with commas and no spaces',
};
const GRPC: Value = {
  isValid: (value) => grpcConditions(value) !== null,
  hint: 'cancelled, deadline-exceeded, internal, resource-exhausted, unavailable, with commas and no spaces',
};
const RETRY = { 'retry.linkerd.io/limit': count(65_535), 'retry.linkerd.io/timeout': DURATION };
const ACCRUAL = 'balancer.linkerd.io/failure-accrual';
const RATE = 'balancer.alpha.linkerd.io/failure-accrual-success-rate';

type Values = Readonly<Record<string, Value>>;

/** Annotations that Linkerd reads together: where one of them cannot be read, none of them counts. */
export const GROUPS = {
  timeouts: {
    'timeout.linkerd.io/request': DURATION,
    'timeout.linkerd.io/response': DURATION,
    'timeout.linkerd.io/idle': DURATION,
  },
  http: { ...RETRY, 'retry.linkerd.io/http': HTTP },
  grpc: { ...RETRY, 'retry.linkerd.io/grpc': GRPC },
  accrual: {
    [ACCRUAL]: {
      isValid: (value) => value === 'consecutive' || value === 'unified',
      hint: 'consecutive or unified',
    },
    [`${ACCRUAL}-consecutive-max-failures`]: count(4_294_967_295),
    [`${ACCRUAL}-consecutive-min-penalty`]: DURATION,
    [`${ACCRUAL}-consecutive-max-penalty`]: DURATION,
    [`${ACCRUAL}-consecutive-jitter-ratio`]: share(100),
    [`${RATE}-threshold`]: share(1),
    [`${RATE}-window`]: DURATION,
    [`${RATE}-min-requests`]: count(4_294_967_295),
  },
} as const satisfies Readonly<Record<string, Values>>;

/** The first annotation of a group that cannot be read; null = each can. */
export function unreadable(annotations: Readonly<Record<string, string>>, group: keyof typeof GROUPS): string | null {
  const bad = Object.entries(GROUPS[group] as Values).find(([name, { isValid }]) => {
    const value = annotations[name];
    return value !== undefined && !isValid(value);
  });
  return bad?.[0] ?? null;
}
