import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
import { explain } from '../../src/model/explain.js';
import { FAILURES, type FailureCode } from '../../src/model/failure.js';
import { attempt, exchange } from '../tui/support/sample.js';

/** A hop of the request from `source` to `service`, as one side saw it, under its parent's span. */
function hop(
  [spanId, parentSpanId]: readonly [string, string],
  direction: 'outbound' | 'inbound' | 'gateway',
  [source, service]: readonly [string, string],
  overrides: Partial<Exchange> = {},
): Exchange {
  return exchange(Number(spanId), {
    requestId: 'r',
    spanId,
    parentSpanId,
    reporter: { workload: direction === 'inbound' ? `${service}-v1` : source, direction },
    source: { workload: source, principal: '' },
    destination: { workload: `${service}-v1`, principal: '', service, port: 9080 },
    attempts: [attempt(1, { workload: `${service}-v1` })],
    ...overrides,
  });
}

const failed = (code: FailureCode, status: number = FAILURES[code].status): Partial<Exchange> => ({
  failure: code,
  flags: [FAILURES[code].flag],
  details: FAILURES[code].details,
  response: { status, bytes: 0 },
});
const answered = (status: number): Partial<Exchange> => ({ response: { status, bytes: 0 } });

/** gateway → web → ratings, each seen by both sides. */
function chain(...changes: readonly Partial<Exchange>[]): Exchange[] {
  return [
    hop(['1', ''], 'gateway', ['gateway', 'web'], changes[0]),
    hop(['2', '1'], 'inbound', ['gateway', 'web'], changes[1]),
    hop(['3', '2'], 'outbound', ['web-v1', 'ratings'], changes[2]),
    hop(['4', '3'], 'inbound', ['web-v1', 'ratings'], changes[3]),
  ];
}

describe('a request that went well', () => {
  it('is told hop by hop, in the order of the calls, whatever order the records came in', () => {
    const told = explain('r', chain());
    expect(explain('r', chain().reverse())).toEqual(told);
    expect(told.steps.map(({ depth, workload }) => `${depth} ${workload}`)).toEqual([
      '0 gateway',
      '0 gateway',
      '0 gateway',
      '1 web-v1',
      '1 web-v1',
      '2 web-v1',
      '2 web-v1',
      '2 web-v1',
      '3 ratings-v1',
      '3 ratings-v1',
    ]);
    expect(told).toMatchObject({ blame: null, verdict: '', summary: 'GET /productpage was answered 200 after 13 ms' });
    expect(told.steps.every(({ outcome }) => outcome === 'ok')).toBe(true);
  });

  it('warns of plaintext and of an identity that nobody proved', () => {
    const plain = { security: { mode: 'plain', peer: '', tlsVersion: '', cipher: '' } } as const;
    const { steps } = explain('r', chain({}, {}, plain, plain));
    expect(steps.find(({ depth }) => depth === 2)?.text).toContain('in plaintext');
    expect(steps.find(({ depth }) => depth === 3)).toMatchObject({
      text: 'ratings-v1 was asked by somebody in plaintext, identity unknown',
      outcome: 'warning',
    });
  });

  it('whose first try failed says why it was tried again, and blames nobody', () => {
    const tries = [attempt(1, { status: 503, next: 'retried: status 503 meets 5xx' }), attempt(2, { status: 200 })];
    const { steps, blame } = explain('r', chain({}, {}, { attempts: tries }));
    const texts = steps.map(({ text }) => text).join('\n');
    expect(texts).toMatch(/try 1: .* answered 503 after 2\.4 ms; retried: status 503 meets 5xx/);
    expect(texts).toMatch(/try 2: .* answered 200/);
    expect(steps.filter(({ outcome }) => outcome === 'warning').length).toBe(1);
    expect(blame).toBeNull();
  });
});

describe('the blame of a failure', () => {
  it('is the app of the deepest hop that answered badly by itself', () => {
    const told = explain('r', chain(answered(500), answered(500), answered(500), answered(500)));
    expect(told).toMatchObject({
      blame: 'app',
      verdict: 'The app of ratings-v1 itself answered 500; the mesh only passed it on.',
    });
  });

  it('is the app in the middle, when what it called went well', () => {
    expect(explain('r', chain(answered(500), answered(500))).verdict).toContain(
      'The app of web-v1 itself answered 500',
    );
  });

  it('is nobody, when the app made good what failed below it', () => {
    expect(explain('r', chain({}, {}, answered(503), failed('fault_abort', 503)))).toMatchObject({
      blame: null,
      verdict: '',
    });
  });

  it('is the later try, when the caller tried twice', () => {
    const twice = [
      ...chain(answered(503), answered(503), answered(503), failed('connect_failure')),
      hop(['5', '3'], 'inbound', ['web-v1', 'ratings'], answered(503)),
    ];
    expect(explain('r', twice).verdict).toContain('The app of ratings-v1 itself answered 503');
  });

  it.each(Object.keys(FAILURES) as FailureCode[])('is told for %s as the table has it', (code) => {
    const told = explain('r', chain(answered(503), answered(503), failed(code, FAILURES[code].status || 503)));
    expect(told.blame).toBe(FAILURES[code].blame);
    expect(told.verdict).toMatch(/^[A-Z].*: .*\.$/);
    expect(told.verdict).not.toContain('%s');
    expect(told.steps.some(({ outcome, text }) => outcome === 'failed' && text.includes(FAILURES[code].details))).toBe(
      true,
    );
  });

  it('says that a connection was closed without an answer', () => {
    expect(explain('r', [hop(['1', ''], 'gateway', ['gateway', 'web'], answered(0))]).summary).toContain(
      'got no answer',
    );
  });
});

describe('records that do not fit together', () => {
  it('of nothing say so', () => {
    expect(explain('r', []).summary).toBe('nothing is known of this request any more');
  });

  it('without their parent stand at the top, and circles end', () => {
    const [, , orphan] = chain();
    expect(explain('r', [orphan as Exchange]).steps[0]?.depth).toBe(0);
    const circle = [hop(['1', '2'], 'outbound', ['a', 'b']), hop(['2', '1'], 'outbound', ['b', 'a'])];
    expect(() => explain('r', circle)).not.toThrow();
    expect(() => explain('r', [hop(['1', '1'], 'outbound', ['a', 'b'])])).not.toThrow();
  });
});
