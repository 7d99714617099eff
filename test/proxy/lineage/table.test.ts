import { describe, expect, it } from 'vitest';
import { FieldBlock } from '../../../src/proxy/codec/field-block.js';
import { readLineage } from '../../../src/proxy/lineage/fields.js';
import { LineageTable } from '../../../src/proxy/lineage/table.js';
import { Call, FIRST_CALL, type Lineage, NO_PEER } from '../../../src/proxy/pipeline/call.js';
import { ExchangeRecord } from '../../../src/proxy/pipeline/exchange-record.js';
import { FakeClock } from '../../support/fake-clock.js';

function call(spanId: string, lineage: Lineage, traceId = 't'): Call {
  const made = new Call(null as never, null as never, new ExchangeRecord(1, 'inbound', 0), NO_PEER, 80, '');
  made.record.traceId = traceId;
  made.record.spanId = spanId;
  made.lineage = lineage;
  return made;
}

describe('what calls inherit', () => {
  const one: Lineage = { hops: 2, until: 100, retried: true };
  const other: Lineage = { hops: 4, until: 50, retried: false };

  it('is of the call whose span they hang below, else what hurts least of their trace', () => {
    const table = new LineageTable();
    const [a, b] = [call('a', one), call('b', other)];
    table.keep(a);
    table.keep(b);
    table.keep(call('c', FIRST_CALL, 'another trace'));
    expect(table.of('t', 'a')).toEqual(one);
    expect(table.of('t', 'b')).toEqual(other);
    expect(table.of('t', 'a span of the app')).toEqual({ hops: 4, until: 100, retried: false });
    expect(table.of('nobody’s', 'a')).toBeNull();
  });

  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 0, 2]], [[1, 2, 0]]])('ends with them, in whatever order: %s', (order) => {
    const table = new LineageTable();
    const calls = ['a', 'b', 'c'].map((span) => call(span, one));
    for (const each of calls) table.keep(each);
    const left = new Set(calls);
    for (const n of order) {
      const gone = calls[n] as Call;
      gone.finish();
      left.delete(gone);
      for (const each of left) expect(table.of('t', each.record.spanId)).toBe(one);
    }
    expect(table.size).toBe(0);
  });
});

describe('what a sidecar says about a call', () => {
  const clock = new FakeClock();
  const read = (...pairs: string[]) => readLineage(FieldBlock.of(...pairs), { deadline: true, retries: true }, clock);

  it('is read as whole numbers in range, and as nothing else (A24)', () => {
    expect(read()).toBe(FIRST_CALL);
    for (const bad of ['1e99', '-1', String(2 ** 53), '0x10', '1.5', '', ' 1', '99999999999'])
      expect(read('x-mesh-deadline-ms', bad, 'x-mesh-hops', bad)).toBe(FIRST_CALL);
    expect(read('x-mesh-deadline-ms', '250', 'x-mesh-hops', '3', 'x-mesh-attempt', '2')).toEqual({
      hops: 3,
      until: clock.monotonic() + 250,
      retried: true,
    });
  });
});
