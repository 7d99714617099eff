import { describe, expect, it } from 'vitest';
import { type Access, accessOf } from '../../src/matching/access.js';
import type { AccessRequest } from '../../src/matching/access-subject.js';
import type { AccessCondition, AccessMatch, AccessRule, AccessSubject } from '../../src/model/authorization.js';
import { FieldBlock } from '../../src/proxy/codec/field-block.js';

const condition = (subject: AccessSubject, value: string, kind: AccessMatch['kind'] = 'exact', not = false) =>
  ({ subject, values: [{ kind, value }], not, text: `${subject.kind}: ${value}` }) satisfies AccessCondition;

function rule(
  action: AccessRule['action'],
  when: readonly AccessCondition[],
  more: Partial<AccessRule> = {},
): AccessRule {
  const source = { file: 'p.yaml', line: 1, column: 1 };
  return { action, enforced: true, name: action, object: 'P a/b', rule: 0, source, from: [], to: [], when, ...more };
}

function access(rules: readonly AccessRule[], wire: 'http' | 'tcp' = 'http'): Access {
  const denies = rules.some(({ action }) => action === 'allow');
  return accessOf({ rules, otherwise: { action: denies ? 'deny' : 'allow', because: 'nothing is met' } }, wire);
}

const request = (
  target = '/',
  {
    fields = FieldBlock.of(),
    host = 'reviews:9080',
    ...more
  }: Partial<AccessRequest> & { fields?: FieldBlock; host?: string } = {},
): AccessRequest => ({
  principal: '',
  peerAddress: '10.0.0.1',
  ownAddress: '10.0.0.2',
  port: 9080,
  serverName: '',
  head: { method: 'GET', target, host, fields },
  dropped: null,
  claims: null,
  ...more,
});

const PATH: AccessSubject = { kind: 'path' };

describe('a rule that keeps out sees a request as the most careless server would', () => {
  const denied = (when: AccessCondition, asked: AccessRequest): boolean =>
    !access([rule('deny', [when])]).decide(asked).allowed;
  const allowed = (when: AccessCondition, asked: AccessRequest): boolean =>
    access([rule('allow', [when])]).decide(asked).allowed;

  it.each([['/admin'], ['/admin?x'], ['/admin;x'], ['/;x/admin'], ['/admin%23x'], ['/admin;a/;b']])('%s', (target) => {
    const wide = target === '/admin;a/;b' ? '/admin/' : '/admin';
    expect(denied(condition(PATH, wide), request(target))).toBe(true);
  });

  it('and one that lets in sees it as it is', () => {
    expect(allowed(condition(PATH, '/admin'), request('/admin;x'))).toBe(false);
    expect(allowed(condition(PATH, '/admin', 'exact', true), request('/admin;x'))).toBe(false);
    expect(allowed(condition({ kind: 'host' }, 'reviews'), request())).toBe(false);
    expect(denied(condition({ kind: 'host' }, 'reviews'), request())).toBe(true);
  });

  it('takes a list in one line for its members, and what Connection named away for there', () => {
    const role = condition({ kind: 'header', name: 'x-role' }, 'guest');
    const listed = request('/', { fields: FieldBlock.of('x-role', 'user, guest') });
    expect([denied(role, listed), allowed(role, listed)]).toEqual([true, false]);
    const dropped = request('/', { dropped: FieldBlock.of('x-role', 'guest') });
    expect([denied(role, dropped), allowed(role, dropped)]).toEqual([true, false]);
  });

  it('believes an address that nobody proved only against its caller', () => {
    const remote = condition({ kind: 'remote-address' }, '10.9.0.0/16', 'range');
    const claims = { fields: FieldBlock.of('x-forwarded-for', '10.9.1.1') };
    expect([denied(remote, request('/', claims)), allowed(remote, request('/', claims))]).toEqual([true, false]);
    const proved = request('/', { ...claims, principal: 'spiffe://cluster.local/ns/default/sa/web' });
    expect(allowed(remote, proved)).toBe(true);
  });
});

describe('values', () => {
  const met = (subject: AccessSubject, kind: AccessMatch['kind'], value: string, asked: AccessRequest): boolean =>
    access([rule('allow', [condition(subject, value, kind)])]).decide(asked).allowed;

  it('an address is within a range of its own family only, also written as IPv6', () => {
    const peer = (peerAddress: string) => request('/', { peerAddress });
    const within = (range: string, address: string) => met({ kind: 'peer-address' }, 'range', range, peer(address));
    expect(within('10.0.0.0/8', '10.255.0.1')).toBe(true);
    expect(within('10.0.0.0/8', '::ffff:10.255.0.1')).toBe(true);
    expect(within('10.0.0.0/8', '11.0.0.1')).toBe(false);
    expect(within('fd00::/8', 'fd12::1')).toBe(true);
    expect(within('fd00::/8', '10.0.0.1')).toBe(false);
    expect(within('0.0.0.0/0', '')).toBe(false);
  });

  it('names in a template are no patterns', () => {
    const fits = (template: string, path: string) => met(PATH, 'template', template, request(path));
    expect(fits('/a.b/{*}', '/a.b/x')).toBe(true);
    expect(fits('/a.b/{*}', '/axb/x')).toBe(false);
    expect(fits('/{*}/x/{**}', '/a/x/b/c')).toBe(true);
    expect(fits('/{*}/x/{**}', '/a/b/x/c')).toBe(false);
  });

  it('issuer and subject are compared one by one', () => {
    const claims = (iss: string, sub: string) => request('/', { claims: { iss, sub } });
    const fits = (value: string, iss: string, sub: string) =>
      met({ kind: 'request-principal' }, 'token', value, claims(iss, sub));
    expect(fits('https://id/realm/u', 'https://id/realm', 'u')).toBe(true);
    expect(fits('https://id/realm/u', 'https://id', 'realm/u')).toBe(false);
    expect(fits('me/*', 'me', 'x')).toBe(true);
    expect(fits('me/*', 'me', '')).toBe(false);
    expect(fits('*/root', 'any', 'root')).toBe(true);
    expect(fits('https*', 'https://id', 'x')).toBe(true);
  });

  it('names that every object has are no claims and no fields', () => {
    expect(met({ kind: 'claim', path: ['constructor', 'name'] }, 'present', '', request('/', { claims: {} }))).toBe(
      false,
    );
    expect(met({ kind: 'header', name: 'constructor' }, 'present', '', request())).toBe(false);
  });
});

describe('TCP', () => {
  const tcp = request('/', { head: null });
  const method = condition({ kind: 'method' }, 'DELETE');

  it('lets nobody in by a rule that asks about HTTP, and keeps out by the rest of one', () => {
    expect(access([rule('allow', [method])], 'tcp').decide(tcp).allowed).toBe(false);
    expect(access([rule('deny', [method])], 'tcp').decide(tcp).allowed).toBe(false);
    const port = condition({ kind: 'port' }, '1');
    expect(access([rule('deny', [method, port])], 'tcp').decide(tcp).allowed).toBe(true);
  });
});

describe('rules that decide nothing', () => {
  it('are told of, and the first that decides does', () => {
    const dry = rule('deny', [], { enforced: false, name: 'dry' });
    const verdict = access([rule('audit', [], { name: 'seen' }), dry, rule('allow', [], { name: 'in' })]).decide(
      request(),
    );
    expect(verdict).toMatchObject({ allowed: true, rule: { name: 'in' }, noted: [{ name: 'seen' }, { name: 'dry' }] });
  });
});
