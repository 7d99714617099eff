import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../src/platform/deadlines.js';
import { type Expiring, Sweeper } from '../../src/platform/sweeper.js';
import { forChance } from '../support/chance.js';
import { FakeClock } from '../support/fake-clock.js';

describe('deadlines', () => {
  it('come when they are due, once, unless they were cancelled', () => {
    forChance(200, (chance) => {
      const clock = new FakeClock();
      const deadlines = new Deadlines(clock);
      const due = new Map<number, number>();
      const came = new Map<number, number>();
      const timers = new Map<number, { cancel(): void }>();
      for (let id = 0; id < 40; id++) {
        clock.advance(chance.below(20));
        const ms = chance.of([5, 10, 10, 10, 50]);
        const set = deadlines.set(ms, {
          onDeadline: () => {
            expect(came.has(id)).toBe(false);
            came.set(id, clock.monotonic());
          },
        });
        due.set(id, clock.monotonic() + ms);
        timers.set(id, set);
        const other = chance.below(id + 1);
        if (chance.below(2) === 0 && !came.has(other)) {
          timers.get(other)?.cancel();
          due.delete(other);
        }
      }
      clock.advance(1_000);
      expect(came).toEqual(due);
      expect(clock.waiting).toBe(0);
    });
  });

  it('may be cancelled, and set again, by one that comes', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const came: string[] = [];
    deadlines.set(10, {
      onDeadline: () => {
        came.push(`first at ${clock.monotonic()}`);
        second.cancel();
        deadlines.set(10, { onDeadline: () => came.push(`again at ${clock.monotonic()}`) });
      },
    });
    const second = deadlines.set(10, { onDeadline: () => came.push('second') });
    clock.advance(100);
    expect(came).toEqual(['first at 10', 'again at 20']);
  });

  it('cost one timer per length, however many there are', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    for (let i = 0; i < 1_000; i++) deadlines.set(15_000, { onDeadline: () => {} });
    expect(clock.waiting).toBe(1);
  });
});

describe('a sweeper', () => {
  const item = (expiresAt: number, came: number[], clock: FakeClock): Expiring => ({
    expiresAt,
    expire() {
      came.push(clock.monotonic());
      this.expiresAt = Number.POSITIVE_INFINITY;
    },
  });

  it('ends what is due within one period, and lets be what moved on', () => {
    const clock = new FakeClock();
    const sweeper = new Sweeper(clock, 250);
    const [early, moved, gone]: number[][] = [[], [], []];
    const moving = item(300, moved as number[], clock);
    const leaving = item(300, gone as number[], clock);
    for (const one of [item(300, early as number[], clock), moving, leaving]) sweeper.add(one);
    clock.advance(250);
    moving.expiresAt = clock.monotonic() + 10_000;
    sweeper.delete(leaving);
    clock.advance(1_000);
    expect([early, moved, gone]).toEqual([[500], [], []]);
  });

  it('reads the clock once per period, and a deadline is never late by more than that', () => {
    const clock = new FakeClock();
    const sweeper = new Sweeper(clock, 250);
    const came: number[] = [];
    const one = item(Number.POSITIVE_INFINITY, came, clock);
    sweeper.add(one);
    clock.advance(700);
    one.expiresAt = sweeper.deadline(1_000);
    expect(one.expiresAt).toBeGreaterThan(700 + 1_000 - 250 - 1);
    clock.advance(2_000);
    expect(came.length).toBe(1);
    expect(came[0]).toBeLessThanOrEqual(700 + 1_000 + 250);
  });

  it('costs nothing when there is nothing', () => {
    const clock = new FakeClock();
    const sweeper = new Sweeper(clock, 250);
    const one = item(1_000, [], clock);
    sweeper.add(one);
    sweeper.delete(one);
    clock.advance(1_000);
    expect(clock.waiting).toBe(0);
  });
});
