import type { Outcome } from './outcome.js';
import type { Expectation } from './suite.js';

/** Shares of a sample lie within so many standard errors of what is expected (99.9 %). */
const Z = 3.3;

/** What came otherwise than expected, a sentence each; empty = nothing. */
export function judge(expected: Expectation, outcome: Outcome): string[] {
  const told: string[] = [];
  const want = (what: string, wanted: unknown, got: unknown, held: boolean): void => {
    if (!held) told.push(`${what}: expected ${words(wanted)}, got ${words(got)}`);
  };
  const { rule, status, denied, answeredBy, retries, retryOn, timeout, encryption, attempts } = expected;
  if (rule !== undefined)
    want('rule', rule, outcome.rule || 'none', rule === 'none' ? outcome.rule === '' : outcome.rule.includes(rule));
  if (expected.to !== undefined) told.push(...shares(expected.to, outcome));
  if (status !== undefined) {
    const all = outcome.statuses.length === 0 ? ['the app’s'] : outcome.statuses;
    // Without traffic nobody knows what an app answers: 200 is what a well one would.
    const held = outcome.statuses.length === 0 ? status === 200 : outcome.statuses.every((one) => one === status);
    want('status', status, all.join(', '), held && (outcome.answeredBy !== 'both' || outcome.sample !== null));
  }
  if (answeredBy !== undefined) want('answered by', answeredBy, outcome.answeredBy, answeredBy === outcome.answeredBy);
  if (denied !== undefined) want('denied', denied, outcome.denied, denied === outcome.denied);
  if (retries !== undefined && outcome.attempts === null)
    want('retries', retries, outcome.retries, retries === outcome.retries);
  if (retryOn !== undefined && outcome.attempts === null)
    for (const word of retryOn) want('retried on', word, outcome.retryOn, outcome.retryOn.includes(word));
  if (timeout !== undefined && outcome.attempts === null)
    want('timeout, ms', timeout, outcome.timeoutMs, timeout === outcome.timeoutMs);
  if (encryption !== undefined)
    want(
      'encryption',
      encryption,
      outcome.encryption,
      outcome.encryption.every((one) => one === encryption),
    );
  if (attempts !== undefined && outcome.attempts !== null)
    want('attempts', `at most ${attempts}`, outcome.attempts, outcome.attempts <= attempts);
  return told.length === 0 ? [] : [...told, ...outcome.why];
}

function shares(expected: Readonly<Record<string, number>>, { to, sample }: Outcome): string[] {
  const total = Object.values(expected).reduce((sum, share) => sum + share, 0) || 1;
  const names = new Set([...Object.keys(expected), ...Object.keys(to)]);
  const off = [...names].filter((name) => {
    const [wanted, got] = [(expected[name] ?? 0) / total, (to[name] ?? 0) / 100];
    const slack =
      sample === null ? 0.0001 : Z * Math.sqrt(Math.max(wanted * (1 - wanted), 1e-9) / sample) + 0.5 / sample;
    return Math.abs(wanted - got) > slack;
  });
  if (off.length === 0) return [];
  return [`to: expected ${sharesText(expected)}, got ${sharesText(to) || 'nobody'}`];
}

function sharesText(shares: Readonly<Record<string, number>>): string {
  return Object.entries(shares)
    .map(([name, share]) => `${Math.round(share * 10) / 10} % ${name}`)
    .join(', ');
}

function words(value: unknown): string {
  if (value === null) return 'none';
  return Array.isArray(value) ? value.join(', ') || 'none' : String(value);
}
