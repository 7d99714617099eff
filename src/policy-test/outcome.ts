import { ENCRYPTION, type Encryption } from '../model/exchange.js';
import { FAILURES } from '../model/failure.js';
import type { SourceRef } from '../model/source.js';
import { type Share, type Simulation, statusOf } from '../simulate/simulate.js';

/** What came, or would come, of a request: the same words for both. */
export interface Outcome {
  /** The rule that decided, as explain calls it; '' = none. */
  readonly rule: string;
  readonly source: SourceRef | null;
  /** Rules of the authorization of the gateway and of the callees, and of the callees' routes, that were met. */
  readonly access: readonly string[];
  /** Shares in percent by destination: `reviews v2`. */
  readonly to: Readonly<Record<string, number>>;
  /** Of how many requests the shares are; null = they are exact. */
  readonly sample: number | null;
  /** Statuses that were seen, or are sure; empty = the app says. */
  readonly statuses: readonly number[];
  readonly answeredBy: 'app' | 'mesh' | 'both';
  readonly denied: boolean;
  readonly retries: number;
  readonly retryOn: readonly string[];
  readonly timeoutMs: number | null;
  readonly encryption: readonly Encryption[];
  /** Most tries that a request took; null = nothing was sent. */
  readonly attempts: number | null;
  /** What decided against it, for whoever reads of a failed test. */
  readonly why: readonly string[];
}

/** What would come of it, by following the configuration. */
export function simulatedOutcome(simulation: Simulation): Outcome {
  const { entry, route, shares, answer, failure, retry, timeoutMs, considered, fault } = simulation;
  const own = [
    ...(answer === null ? [] : [answer.status]),
    ...(failure === null ? [] : [FAILURES[failure].status]),
    ...shares.flatMap((share) => statusOf(share) ?? []),
    ...(fault?.abort != null && fault.abort.percent === 100 ? [fault.abort.status] : []),
  ];
  const reached =
    own.length === 0 || (shares.some((share) => statusOf(share) === null) && fault?.abort?.percent !== 100);
  return {
    rule: route?.rule ?? '',
    source: route?.source ?? null,
    access: [
      ...new Set([
        ...(entry === null ? [] : [entry.rule]),
        ...shares.flatMap(({ access, inbound }) => [...access, ...inbound].map(({ rule }) => rule)),
      ]),
    ].filter((rule) => rule !== ''),
    to: Object.fromEntries(shares.map((share) => [destinationOf(share), share.percent])),
    sample: null,
    statuses: [...new Set(own)],
    answeredBy: own.length === 0 ? 'app' : reached ? 'both' : 'mesh',
    denied:
      entry?.allowed === false ||
      (shares.length > 0 && shares.every((share) => share.failure !== null && FAILURES[share.failure].status === 403)),
    retries: retry?.attempts ?? 0,
    retryOn: retry === null ? [] : [...retry.retryOn, ...retry.retriableStatusCodes.map(String)],
    timeoutMs,
    encryption: [
      ...new Set(shares.flatMap(({ tls, plain }) => [tls, ...(plain.length > 0 ? ['plain' as const] : [])])),
    ].map((mode) => ENCRYPTION[mode]),
    attempts: null,
    why: [
      ...(entry?.allowed === false ? [entry.text] : []),
      ...considered.filter(({ why }) => why !== '').map(({ rule, why }) => `${rule}: ${why}`),
      ...new Set(shares.flatMap((share) => share.access.filter(({ allowed }) => !allowed).map(({ text }) => text))),
    ],
  };
}

function destinationOf({ service, subset }: Share): string {
  return subset === '' ? service : `${service} ${subset}`;
}
