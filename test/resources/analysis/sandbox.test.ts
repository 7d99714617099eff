import { describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { resource, told } from './told.js';

const APP = appOf([workload('db-v1', { ports: [{ port: 3306, protocol: 'tcp' }] }), workload('reviews-v1')]);
const fault = (to: string): string => resource('mesh-sandbox.dev/v1', 'Fault', 'name: f', `{ to: ${to}, abort: 503 }`);
const limit = (to: string): string =>
  resource('mesh-sandbox.dev/v1', 'RateLimit', 'name: l', `{ to: ${to}, requests: 1, per: 1s }`);

describe('a Fault or a RateLimit at who speaks no HTTP', () => {
  it.each(['db', 'db-v1'])('is told: %s', (to) => {
    expect(told('MS0001', [fault(to), limit(to)], APP)).toEqual([
      'MS0001 warning Fault default/f 4',
      'MS0001 warning RateLimit default/l 9',
    ]);
  });

  it.each(['reviews', 'reviews-v1'])('and is not of who does: %s', (to) => {
    expect(told('MS0001', [fault(to), limit(to)], APP)).toEqual([]);
  });
});
