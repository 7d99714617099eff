import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/platform/random.js';
import { FieldBlock } from '../../src/proxy/codec/field-block.js';
import type { Call } from '../../src/proxy/pipeline/call.js';
import { trace } from '../../src/proxy/telemetry/trace.js';

function traced(edge: boolean, ...fields: string[]) {
  return tracedAt(100, edge, ...fields);
}

function tracedAt(percent: number, edge: boolean, ...fields: string[]) {
  const call = { head: { fields: FieldBlock.of(...fields) }, record: {} } as unknown as Call;
  void trace(seededRandom(1, 'test'), edge, () => percent)(() => Promise.resolve({} as never))(call);
  return { record: call.record, fields: call.head.fields };
}

const TRACE = 'a'.repeat(32);
const SPAN = 'b'.repeat(16);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('traceparent', () => {
  it('makes what came the parent, and this span the parent of what follows', () => {
    const { record, fields } = traced(false, 'traceparent', `00-${TRACE}-${SPAN}-00`);
    expect(record).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
    expect(record.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(fields.pairs().filter((_, i, all) => all[i - 1] === 'traceparent')).toEqual([
      `00-${TRACE}-${record.spanId}-00`,
    ]);
  });

  it.each([
    ['no field', ''],
    ['another version', `01-${TRACE}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['something behind it', `00-${TRACE}-${SPAN}-01-more`],
  ])('begins a new trace for %s', (_, value) => {
    const { record, fields } = traced(false, ...(value === '' ? [] : ['traceparent', value]));
    expect(record.parentSpanId).toBe('');
    expect(record.traceId).not.toBe(TRACE);
    expect(fields.get('traceparent')).toBe(`00-${record.traceId}-${record.spanId}-01`);
  });
});

describe('x-request-id', () => {
  it('is kept behind the edge', () => {
    const { record, fields } = traced(false, 'x-request-id', 'mine');
    expect([record.requestId, fields.get('x-request-id')]).toEqual(['mine', 'mine']);
  });

  it.each([
    ['at the edge', true, 'mine'],
    ['empty', false, ''],
    ['too long', false, 'x'.repeat(129)],
  ])('is new %s', (_, edge, given) => {
    const { record, fields } = traced(edge, 'x-request-id', given);
    expect(record.requestId).toMatch(UUID);
    expect(fields.pairs().filter((name) => name === 'x-request-id').length).toBe(1);
    expect(fields.get('x-request-id')).toBe(record.requestId);
  });
});

describe('sampling', () => {
  it('marks as many of the traces begun here as it is told to, and leaves what others began as it is', () => {
    const marked = (percent: number): number =>
      Array.from({ length: 400 }, (_, i) => tracedWith(percent, i)).filter((text) => text?.endsWith('-01')).length;
    expect([marked(0), marked(100)]).toEqual([0, 400]);
    expect(marked(25)).toBeGreaterThan(60);
    expect(marked(25)).toBeLessThan(140);
    expect(tracedAt(0, false, 'traceparent', `00-${TRACE}-${SPAN}-01`).fields.get('traceparent')).toMatch(/-01$/);
  });
});

function tracedWith(percent: number, seed: number): string | undefined {
  const call = { head: { fields: FieldBlock.of() }, record: {} } as unknown as Call;
  void trace(seededRandom(seed, 'test'), false, () => percent)(() => Promise.resolve({} as never))(call);
  return call.head.fields.get('traceparent');
}
