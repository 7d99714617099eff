import { describe, expect, it } from 'vitest';
import { JoinTokens } from '../../src/control-plane/authority/join-tokens.js';
import { systemClock } from '../../src/platform/clock.js';

const LIFE_MS = 120_000;

function tokensAt(): { tokens: JoinTokens; pass: (ms: number) => void } {
  let now = 1_000_000;
  return {
    tokens: new JoinTokens({ ...systemClock, now: () => now }),
    pass: (ms) => {
      now += ms;
    },
  };
}

describe('join tokens', () => {
  it('tell the workload they were made for, once', () => {
    const { tokens } = tokensAt();
    const [web, ratings] = [tokens.mint('web'), tokens.mint('ratings')];
    expect(tokens.redeem(ratings)).toBe('ratings');
    expect(tokens.redeem(web)).toBe('web');
    expect([tokens.redeem(web), tokens.redeem(ratings)]).toEqual([null, null]);
  });

  it('are worth nothing after two minutes, and stay so', () => {
    const { tokens, pass } = tokensAt();
    const [early, late] = [tokens.mint('web'), tokens.mint('web')];
    pass(LIFE_MS);
    expect(tokens.redeem(early)).toBe('web');
    pass(1);
    expect(tokens.redeem(late)).toBeNull();
    pass(-LIFE_MS);
    expect(tokens.redeem(late)).toBeNull();
  });

  it('give one and the same answer whatever is wrong, and a wrong guess costs the right one nothing', () => {
    const { tokens, pass } = tokensAt();
    const old = tokens.mint('web');
    pass(LIFE_MS + 1);
    const [spent, good] = [tokens.mint('web'), tokens.mint('web')];
    tokens.redeem(spent);
    const wrong = ['', 'web', '__proto__', good.slice(0, -1), `${good} `, good.toUpperCase(), old, spent];
    expect(wrong.map((token) => tokens.redeem(token))).toEqual(wrong.map(() => null));
    expect(tokens.redeem(good)).toBe('web');
  });

  it('of one workload are independent: a second one takes nothing from the first', () => {
    const { tokens } = tokensAt();
    const [first, second] = [tokens.mint('web'), tokens.mint('web')];
    expect(tokens.redeem(second)).toBe('web');
    expect(tokens.redeem(first)).toBe('web');
  });

  it('are 256 bits of chance in letters that need no quoting', () => {
    const { tokens } = tokensAt();
    const all = new Set(Array.from({ length: 200 }, () => tokens.mint('web')));
    expect(all.size).toBe(200);
    for (const token of all) expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
