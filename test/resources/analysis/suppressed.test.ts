import { describe, expect, it } from 'vitest';
import { told, virtualService } from './told.js';

const SPEC =
  '{ hosts: [ reviews ], gateways: [ gw.other ], http: [ { route: [ { destination: { host: reviews } } ] } ] }';
const annotated = (codes: string): string =>
  virtualService(`name: r, annotations: { galley.istio.io/analyze-suppress: "${codes}" }`, SPEC);

describe('the annotation galley.istio.io/analyze-suppress', () => {
  it.each([
    ['IST0001', 1],
    ['IST0133', 0],
    ['IST0108, IST0133', 0],
    ['KIA1108', 0],
    ['*', 0],
  ])('%s', (codes, count) => {
    expect(told('IST0133', [annotated(codes)])).toHaveLength(count);
  });

  it('says nothing of other resources', () => {
    const other = virtualService('name: o', SPEC.replace('hosts: [ reviews ]', 'hosts: [ ratings ]'));
    expect(told('IST0133', [annotated('*'), other])).toEqual([expect.stringContaining('VirtualService default/o')]);
  });
});
