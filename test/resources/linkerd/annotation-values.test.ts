import { describe, expect, it } from 'vitest';
import { linkerdMs, unreadable } from '../../../src/resources/linkerd/annotation-values.js';
import { portsOf } from '../../../src/resources/linkerd/opaque-ports.js';

describe('durations in annotations of Linkerd', () => {
  it.each([
    ['250ms', 250],
    [' 10s ', 10_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0', 0],
    ['0s', 0],
    ['5', null],
    ['0.1s', null],
    ['1m30s', null],
    ['-1s', null],
    ['10us', null],
    ['s', null],
    ['', null],
  ])('%j is %s ms', (written, ms) => expect(linkerdMs(written)).toBe(ms));
});

describe('annotations that are read together', () => {
  it.each([
    [{ 'retry.linkerd.io/http': '5xx,404', 'retry.linkerd.io/limit': '2' }, 'http', null],
    [{ 'retry.linkerd.io/http': '5XX' }, 'http', null],
    [{ 'retry.linkerd.io/http': '5xx, 404' }, 'http', 'retry.linkerd.io/http'],
    [{ 'retry.linkerd.io/http': '5xx', 'retry.linkerd.io/limit': 'two' }, 'http', 'retry.linkerd.io/limit'],
    [{ 'retry.linkerd.io/http': 'never', 'retry.linkerd.io/grpc': 'internal' }, 'grpc', null],
    [{ 'timeout.linkerd.io/request': '1s', 'timeout.linkerd.io/idle': 'x' }, 'timeouts', 'timeout.linkerd.io/idle'],
  ] as const)('%j as %s', (annotations, group, bad) => expect(unreadable(annotations, group)).toBe(bad));
});

describe('lists of ports', () => {
  it.each([
    ['3306', [{ from: 3306, to: 3306 }]],
    [
      '4, 1-2',
      [
        { from: 4, to: 4 },
        { from: 1, to: 2 },
      ],
    ],
    ['', []],
    ['0', null],
    ['2-1', null],
    ['2-', null],
    ['65536', null],
    ['mysql', null],
  ])('%j', (written, ranges) => expect(portsOf(written)).toEqual(ranges));
});
