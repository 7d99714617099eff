import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeshEvent } from '../../src/protocol/api-types.js';
import { withSgr } from '../../src/tui/driver/sgr.js';
import { plainText, widthOf } from '../../src/tui/frame.js';
import type { Action } from '../../src/tui/store/actions.js';
import type { State } from '../../src/tui/store/state.js';
import { safe } from '../../src/tui/text/safe-text.js';
import { themeOf } from '../../src/tui/theme.js';
import { view } from '../../src/tui/views/view.js';
import { SAMPLE_EVENTS } from './support/sample.js';
import { allScreens, reduceAll } from './support/states.js';

/** Clears the screen, sets the title, rings, overwrites, reverses the writing direction, takes two cells, none, or a surrogate half. */
const HOSTILE = '\x1b[2J\x1b]0;owned\x07\r\n\b\x9b31m\u202e\u2066\u{1f512}漢\u0301\u200b\ud800{bold}é';

/** The same value with every string in it made hostile, but for what types name. */
function poisoned(value: unknown, key = ''): unknown {
  const kept = [
    'type',
    'kind',
    'direction',
    'id',
    'sidecar',
    'role',
    'runtime',
    'spanId',
    'parentSpanId',
    'failure',
    'mode',
  ];
  if (typeof value === 'string') return kept.includes(key) ? value : HOSTILE + value;
  if (Array.isArray(value)) return value.map((item) => poisoned(item, key));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, poisoned(item, name)]));
}

function poisonedStates(size: State['size']): Readonly<Record<string, State>> {
  const actions = SAMPLE_EVENTS.map((event): Action => ({ type: 'event', event: poisoned(event) as MeshEvent }));
  return Object.fromEntries(
    Object.entries(allScreens(size)).map(([name, state]) => [
      name,
      { ...reduceAll(state, actions), detail: poisoned(state.detail) as State['detail'], sandboxName: HOSTILE },
    ]),
  );
}

describe('foreign text', () => {
  it('is escaped, one cell a character', () => {
    expect(safe(HOSTILE, false)).toBe('\\x1b[2J\\x1b]0;owned\\x07\\x0d\\x0a\\x08\\x9b31m???????{bold}é');
    expect(safe('é→✓±', true)).toBe('?->++-');
    expect(safe(safe('a\x1bb', false), false)).toBe('a\\x1bb');
  });

  it('never steers the terminal, on any screen', () => {
    for (const ascii of [false, true]) {
      for (const [name, state] of Object.entries(poisonedStates({ cols: 200, rows: 50 }))) {
        const frame = view(state, state.size, themeOf(ascii));
        const allowed = ascii ? /^[\x20-\x7e]*$/ : /^[^\p{C}\p{M}\u1100-\u11ff\u3000-\uffff]*$/u;
        for (const line of plainText(frame).split('\n')) expect(line, name).toMatch(allowed);
        // biome-ignore lint/complexity/useRegexLiterals: the only ESC sequences are our own colours
        const ours = withSgr(frame, true).replace(new RegExp('\x1b\\[[0-9;]*m', 'g'), '');
        expect(ours, name).not.toContain('\x1b');
      }
    }
  });
});

describe('any size', () => {
  it('has exactly the rows, none too wide, and never throws', () => {
    const size = fc.record({ cols: fc.integer({ min: 1, max: 220 }), rows: fc.integer({ min: 1, max: 220 }) });
    fc.assert(
      fc.property(size, fc.boolean(), fc.boolean(), (drawn, ascii, hostile) => {
        for (const [name, state] of Object.entries(hostile ? poisonedStates(drawn) : allScreens(drawn))) {
          const { lines } = view(state, drawn, themeOf(ascii));
          expect(lines.length, name).toBe(drawn.rows);
          for (const line of lines) expect(widthOf(line), name).toBeLessThanOrEqual(drawn.cols);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never cuts the state of encryption, however narrow', () => {
    for (let cols = 60; cols <= 220; cols += 1) {
      const screens = allScreens({ cols, rows: 24 });
      for (const name of ['topology', 'requests', 'hops']) {
        const text = plainText(view(screens[name]!, { cols, rows: 24 }, themeOf(false)));
        expect(text, `${name} at ${cols}`).toContain('PLAIN !');
        expect(text, `${name} at ${cols}`).toContain('mTLS ✓');
      }
    }
  });

  it('says what it needs where there is no room', () => {
    const state = allScreens({ cols: 80, rows: 24 })['topology']!;
    expect(plainText(view(state, { cols: 40, rows: 10 }, themeOf(true))).trim()).toBe('needs 60x20; q quits');
    expect(view(state, { cols: 0, rows: 0 }, themeOf(true)).lines).toEqual([]);
  });
});
