import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../src/model/failure.js';
import { addSparse, BUCKETS, bucketMiddle, bucketOf, quantile, toSparse } from '../../src/model/histogram.js';
import { clusterName, fqdn, hostNames, virtualIp } from '../../src/model/names.js';
import { parseSpiffeId, serviceAccountOf } from '../../src/model/spiffe-id.js';
import { idOf } from '../support/authority.js';
import { forChance } from '../support/chance.js';

describe('the latency histogram', () => {
  it('knows every duration to 1/16', () => {
    forChance(2_000, (chance) => {
      const ms = 10 ** (chance.below(6_000) / 1_000 - 2);
      const middle = bucketMiddle(bucketOf(ms));
      expect(Math.abs(middle - ms) / ms).toBeLessThan(1 / 16 + (ms < 0.016 ? 0.1 : 0));
    });
  });

  it('never goes back as time grows, and stays inside', () => {
    let last = 0;
    for (let ms = 0; ms < 1e7; ms = ms * 1.01 + 0.0005) {
      const bucket = bucketOf(ms);
      expect(bucket).toBeGreaterThanOrEqual(last);
      expect(bucket).toBeLessThan(BUCKETS);
      last = bucket;
    }
    expect(bucketOf(-1)).toBe(0);
    expect(bucketOf(Number.POSITIVE_INFINITY)).toBe(BUCKETS - 1);
  });

  it('adds up from parts to what one would have counted', () => {
    forChance(100, (chance) => {
      const whole = new Uint32Array(BUCKETS);
      const parts = [new Uint32Array(BUCKETS), new Uint32Array(BUCKETS)];
      for (let i = 0; i < 50; i++) {
        const bucket = bucketOf(chance.below(5_000) / 10);
        whole[bucket] = (whole[bucket] ?? 0) + 1;
        const part = chance.of(parts);
        part[bucket] = (part[bucket] ?? 0) + 1;
      }
      const sum = new Uint32Array(BUCKETS);
      for (const part of parts) addSparse(sum, toSparse(part));
      expect(sum).toEqual(whole);
    });
  });

  it('gives quantiles by rank, and 0 for nothing', () => {
    const counts = new Uint32Array(BUCKETS);
    expect(quantile(counts, 0.5)).toBe(0);
    for (let ms = 1; ms <= 100; ms++) {
      const bucket = bucketOf(ms);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    for (const q of [0.5, 0.9, 0.99]) expect(Math.abs(quantile(counts, q) / (q * 100) - 1)).toBeLessThan(1 / 16);
  });

  it('ignores pairs that make no sense', () => {
    const counts = new Uint32Array(BUCKETS);
    addSparse(counts, [-1, 5, BUCKETS, 5, 3, 2, 4]);
    expect(toSparse(counts)).toEqual([3, 2]);
  });
});

describe('the failure table', () => {
  it.each(Object.entries(FAILURES))('%s is whole', (_, row) => {
    expect(row.status === 0 || (row.status >= 400 && row.status <= 599)).toBe(true);
    expect(row.details).toMatch(/^[a-z0-9_.]+(\{[^{}]+\})?$/i);
    expect(row.flag).toMatch(/^[A-Z]*$/);
    expect(row.sentence).not.toMatch(/\.$/);
    expect(row.sentence.length).toBeGreaterThan(10);
  });
});

describe('names', () => {
  it('are those of Kubernetes and Envoy', () => {
    expect(hostNames(fqdn('reviews'))).toEqual([
      'reviews',
      'reviews.default',
      'reviews.default.svc',
      'reviews.default.svc.cluster.local',
    ]);
    expect(hostNames(fqdn('orders', 'other'))[0]).toBe('orders.other');
    expect(hostNames(fqdn('orders', 'other'), 'other')[0]).toBe('orders');
    expect(hostNames('api.example.com')).toEqual(['api.example.com']);
    expect(clusterName(fqdn('reviews'), 9080, 'v2')).toBe('outbound|9080|v2|reviews.default.svc.cluster.local');
  });

  it('give each of a thousand services an address of its own, in 240.240.0.0/16', () => {
    const addresses = Array.from({ length: 1_000 }, (_, index) => virtualIp(index));
    expect(new Set(addresses).size).toBe(1_000);
    for (const address of addresses) {
      const [a, b, c, d] = address.split('.').map(Number);
      expect([a, b]).toEqual([240, 240]);
      expect((c as number) <= 255 && (d as number) >= 1 && (d as number) <= 254).toBe(true);
    }
  });
});

describe('SPIFFE IDs', () => {
  it.each(['spiffe://cluster.local/ns/default/sa/web', 'spiffe://example.org/a', 'spiffe://a.b-c_1/X/y.z/_'])(
    '%s is one',
    (uri) => {
      expect(parseSpiffeId(uri)?.uri).toBe(uri);
    },
  );

  it.each([
    '',
    'spiffe://',
    'spiffe:///a',
    'spiffe://a',
    'spiffe://a/',
    'spiffe://a//b',
    'spiffe://a/b/',
    'spiffe://a/./b',
    'spiffe://a/../b',
    'spiffe://A/b',
    'SPIFFE://a/b',
    'spiffe://a:1/b',
    'spiffe://u@a/b',
    'spiffe://a/b?c',
    'spiffe://a/b#c',
    'spiffe://a/%62',
    'https://a/b',
    `spiffe://a/${'b'.repeat(2_048)}`,
  ])('%s is none', (uri) => {
    expect(parseSpiffeId(uri)).toBeNull();
  });

  it('carry the service account in the place where Istio has it', () => {
    expect(serviceAccountOf(idOf('web'))).toBe('web');
    expect(serviceAccountOf('spiffe://cluster.local/ns/default/sa/web/more')).toBeNull();
  });
});
