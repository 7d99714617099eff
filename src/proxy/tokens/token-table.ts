import type { TokenRule } from '../../model/authorization.js';
import type { TokenFailure } from '../../model/token-failure.js';
import type { RequestHead } from '../codec/message.js';
import { type KeySet, keySetOf } from './key-set.js';
import { type Shown, tokensIn } from './places.js';
import { parseToken, type Token } from './token.js';

/** Clocks may differ by this much, s (Envoy). */
const SKEW = 60;

/** A rule whose tokens a request showed: all of them were good. */
export interface Believed {
  readonly rule: TokenRule;
  /** The one that counts: the last. */
  readonly token: Token;
  readonly shown: readonly Shown[];
}

interface RuleAtWork {
  readonly rule: TokenRule;
  readonly keys: KeySet;
}

/** The token rules of a configuration made ready. */
export class TokenTable {
  /** Fields that only a verified token may fill: a caller's own are taken away. */
  readonly outputs: readonly string[];
  readonly #rules: readonly RuleAtWork[];

  /** Throws when a key is none: that is the NACK. */
  constructor(rules: readonly TokenRule[]) {
    this.#rules = rules.map((rule) => ({ rule, keys: keySetOf(rule.keys) }));
    const named = rules.flatMap(({ payloadHeader, claimHeaders }) => [
      payloadHeader,
      ...claimHeaders.map(({ header }) => header),
    ]);
    this.outputs = [...new Set(named.filter((name) => name !== ''))];
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /**
   * What to believe of a request: the first rule all of whose tokens are good; null when it shows none; else why none is.
   * `now` in epoch s.
   */
  judge(head: RequestHead, now: number): Believed | TokenFailure | null {
    let failure: TokenFailure | null = null;
    for (const { rule, keys } of this.#rules) {
      const shown = tokensIn(head, rule);
      if (shown.length === 0) continue;
      const judged = believable(shown, rule, keys, now);
      if (typeof judged !== 'string') return { rule, token: judged, shown };
      if (rule.optional === true) continue;
      // A token of somebody else's says less than one that should have been good.
      if (failure === null || failure === 'token_issuer_unknown') failure = judged;
    }
    return failure;
  }
}

/** One of its audiences is one of those that are wanted, `https://` before and a slash behind them left out (Envoy). */
function isMeant(aud: unknown, wanted: readonly string[]): boolean {
  const own: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const bare = new Set(own.map((audience) => (typeof audience === 'string' ? bareAudience(audience) : null)));
  return wanted.some((audience) => bare.has(bareAudience(audience)));
}

function bareAudience(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

/** The last of several tokens when all are good, else what is wrong with the first that is not. */
function believable(shown: readonly Shown[], rule: TokenRule, keys: KeySet, now: number): Token | TokenFailure {
  let last: Token | TokenFailure = 'token_malformed';
  for (const { text } of shown) {
    last = parseToken(text);
    const failure = typeof last === 'string' ? last : failureOf(last, rule, keys, now);
    if (failure !== null) return failure;
  }
  return last;
}

/** In Envoy's order: issuer, time, audience, signature. */
function failureOf(token: Token, rule: TokenRule, keys: KeySet, now: number): TokenFailure | null {
  const { iss, nbf, exp, aud } = token.claims;
  if (iss !== rule.issuer) return 'token_issuer_unknown';
  const { skewSeconds = SKEW } = rule;
  if (typeof nbf === 'number' && now + skewSeconds < nbf) return 'token_not_yet_valid';
  if (typeof exp === 'number' && now > exp + skewSeconds) return 'token_expired';
  if (rule.audiences.length > 0 && !isMeant(aud, rule.audiences)) return 'token_audience';
  return keys.verify(token);
}
