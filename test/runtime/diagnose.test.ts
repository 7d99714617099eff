import { describe, expect, it } from 'vitest';
import { nodeFinding } from '../../src/runtime/diagnose.js';

describe('what doctor says about Node.js', () => {
  it.each([
    ['22.23.2', 'ok'],
    ['22.24.0', 'ok'],
    ['24.18.1', 'ok'],
    ['26.5.1', 'ok'],
    ['28.0.0', 'ok'],
    ['22.23.1', 'warning'],
    ['24.18.0', 'warning'],
    ['26.4.9', 'warning'],
    ['20.20.2', 'warning'],
    ['20.99.0', 'warning'],
    ['25.9.0', 'warning'],
  ])('%s: %s', (version, state) => {
    const finding = nodeFinding(version);
    expect(finding.state).toBe(state);
    expect(finding.hint === '').toBe(state === 'ok');
  });
});
