import { describe, expect, it } from 'vitest';
import { redirectTo } from '../../../src/matching/redirect-location.js';
import { targetChange } from '../../../src/matching/target-change.js';
import { EVERYTHING, type PathChange, type PathMatch, type RedirectAction } from '../../../src/model/route.js';

const prefix = (value: string, kind: PathMatch['kind'] = 'prefix'): PathMatch => ({ kind, value, ignoreCase: false });
const changed = (change: PathChange, match: PathMatch, target: string) => targetChange(change, match)(target) ?? target;

describe('a prefix replaced as text (Istio)', () => {
  it.each([
    ['/old', '/new', '/old', '/new'],
    ['/old', '/new', '/old/x?y=1', '/new/x?y=1'],
    ['/old', '/new', '/older', '/newer'],
    ['/api', '/', '/api/v1', '//v1'],
    ['/api', '/', '/api?x=1', '/?x=1'],
    ['/api/', '/', '/api/v1', '/v1'],
    ['/old', 'new', '/old/x', 'new/x'],
    // Without a match of its own a rule has the prefix `/`.
    ['/', '/new', '/a/b?c', '/newa/b?c'],
  ])('%s by %s: %s becomes %s', (from, to, target, result) => {
    expect(changed({ kind: 'prefix', value: to }, prefix(from), target)).toBe(result);
  });

  it.each<PathMatch['kind']>(['exact', 'regex'])(
    'is the whole path where the rule is about whole paths: %s',
    (kind) => {
      expect(changed({ kind: 'prefix', value: '/new' }, prefix('/a.*', kind), '/abc?d')).toBe('/new?d');
    },
  );
});

describe('a prefix replaced by elements (Gateway API)', () => {
  it.each([
    ['/foo', '/xyz', '/foo/bar', '/xyz/bar'],
    ['/foo', '/xyz/', '/foo/bar', '/xyz/bar'],
    ['/foo/', '/xyz', '/foo/bar', '/xyz/bar'],
    ['/foo/', '/xyz/', '/foo/bar', '/xyz/bar'],
    ['/foo', '/xyz', '/foo', '/xyz'],
    ['/foo', '/xyz', '/foo/', '/xyz/'],
    ['/foo', '', '/foo/bar', '/bar'],
    ['/foo', '', '/foo/', '/'],
    ['/foo', '', '/foo', '/'],
    ['/foo', '/', '/foo/', '/'],
    ['/foo', '/', '/foo', '/'],
    ['/foo', '/xyz', '/foo/bar?a=1', '/xyz/bar?a=1'],
    ['/foo', '/', '/foo?a=1', '/?a=1'],
  ])('%s by %j: %s becomes %s', (from, to, target, result) => {
    expect(changed({ kind: 'segments', value: to }, prefix(from, 'segments'), target)).toBe(result);
  });
});

describe('a path replaced whole or by an expression', () => {
  it('keeps the query', () => {
    expect(changed({ kind: 'full', value: '/new' }, prefix('/'), '/a/b?c=1')).toBe('/new?c=1');
  });

  it.each([
    ['/secret', '/', '/a/secret/b', '/a//b'],
    ['/secret', '/', '/x/secret/secret/y', '/x///y'],
    ['^/service/([^/]+)(/.*)$', '\\2/instance/\\1', '/service/foo/v1/api?q=1', '/v1/api/instance/foo?q=1'],
    ['one', 'two', '/xxx/one/yyy/one/zzz?one', '/xxx/two/yyy/two/zzz?one'],
    ['(?i)/XXX/', '/yyy/', '/aaa/XxX/bbb', '/aaa/yyy/bbb'],
    ['price', '$1', '/price', '/$1'],
  ])('%s by %s: %s becomes %s', (value, substitution, target, result) => {
    expect(changed({ kind: 'regex', value, substitution }, prefix('/'), target)).toBe(result);
  });

  it('with an expression that is none is refused', () => {
    expect(() => targetChange({ kind: 'regex', value: '(', substitution: '' }, prefix('/'))).toThrow(/RE2/);
  });
});

describe('a redirect', () => {
  const location = (action: Partial<RedirectAction>, target = '/old/x?a=1', host = 'reviews:9080'): string => {
    const whole: RedirectAction = {
      kind: 'redirect',
      status: 301,
      scheme: null,
      host: null,
      port: null,
      path: null,
      ...action,
    };
    return redirectTo(whole, { ...EVERYTHING, path: prefix('/old') })({ host, target });
  };

  it.each<[string, Partial<RedirectAction>, string]>([
    ['nothing', {}, 'http://reviews:9080/old/x?a=1'],
    ['a path', { path: { kind: 'full', value: '/new' } }, 'http://reviews:9080/new?a=1'],
    ['a path with a query', { path: { kind: 'full', value: '/new?fixed=1' } }, 'http://reviews:9080/new?fixed=1'],
    ['a prefix', { path: { kind: 'prefix', value: '/new' } }, 'http://reviews:9080/new/x?a=1'],
    ['a host', { host: 'shop.example' }, 'http://shop.example/old/x?a=1'],
    ['a host and a port', { host: 'shop.example', port: 8443 }, 'http://shop.example:8443/old/x?a=1'],
    ['a port', { port: 443 }, 'http://reviews:443/old/x?a=1'],
    ['a scheme', { scheme: 'https' }, 'https://reviews:9080/old/x?a=1'],
  ])('changes %s and leaves the rest', (_, action, expected) => {
    expect(location(action)).toBe(expected);
  });

  it.each<[string, Partial<RedirectAction>, string]>([
    ['a host', { host: 'shop.example' }, 'http://shop.example:9080/old/x?a=1'],
    ['a host and a port', { host: 'shop.example', port: 80 }, 'http://shop.example:80/old/x?a=1'],
    ['a scheme', { scheme: 'https' }, 'https://reviews:9080/old/x?a=1'],
    ['no port', { askedPort: 'goes' }, 'http://reviews/old/x?a=1'],
    ['a path', { path: { kind: 'full', value: '/new' }, dropsQuery: true }, 'http://reviews:9080/new'],
    ['a prefix', { path: { kind: 'prefix', value: '/new' }, dropsQuery: true }, 'http://reviews:9080/new/x?a=1'],
  ])('as Linkerd has it changes %s and leaves the rest', (_, action, expected) => {
    expect(location({ askedPort: 'stays', ...action })).toBe(expected);
  });

  it('as Linkerd has it leaves out the port that is the scheme’s own beside another host', () => {
    const action = { askedPort: 'stays', host: 'shop.example' } as const;
    expect(location(action, '/', 'reviews:80')).toBe('http://shop.example/');
    expect(location(action, '/', 'reviews')).toBe('http://shop.example/');
    expect(location({ ...action, scheme: 'https' }, '/', 'reviews:80')).toBe('https://shop.example:80/');
  });

  it('to https loses the port of http, and no other', () => {
    expect(location({ scheme: 'https' }, '/', 'reviews:80')).toBe('https://reviews/');
    expect(location({ scheme: 'http' }, '/', 'reviews:80')).toBe('http://reviews:80/');
  });
});
