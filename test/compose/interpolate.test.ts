// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose writes its variables in the same way
import { describe, expect, it } from 'vitest';
import { interpolate } from '../../src/compose/interpolate.js';

const environment = { A: 'a', EMPTY: '' };

describe('interpolation, as Compose does it', () => {
  it.each([
    ['plain', 'plain'],
    ['$A-${A}', 'a-a'],
    ['$$A $${A}', '$A ${A}'],
    ['${B}', ''],
    ['$constructor', ''],
    ['${B:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${B-d}', 'd'],
    ['${A:-d}', 'a'],
    ['${A:+yes}', 'yes'],
    ['${EMPTY:+yes}${EMPTY+set}', 'set'],
    ['${A:?needed}', 'a'],
    ['${B:-${C:-x}y}z', 'xyz'],
    ['${B:-$A}', 'a'],
    ['${A:-$}', 'a'],
  ])('%s → %s', (text, expected) => expect(interpolate(text, environment)).toBe(expected));

  it.each([
    ['cost: 5$', /lone \$/],
    ['${', /never ends/],
    ['${A', /never ends/],
    ['${}', /is no variable/],
    ['${1A}', /is no variable/],
    ['${B:?tell me}', /the variable B is needed: tell me/],
    ['${EMPTY:?}', /the variable EMPTY is needed$/],
  ])('%s is refused', (text, message) => expect(() => interpolate(text, environment)).toThrow(message));
});
