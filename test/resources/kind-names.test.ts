import { describe, expect, it } from 'vitest';
import { kindNear, kindsNamed } from '../../src/resources/kind-names.js';
import { KINDS } from '../../src/resources/kinds.js';

const named = (word: string): string[] => kindsNamed(word).map(({ group, kind }) => `${group}/${kind}`);

describe('a kind', () => {
  it.each([
    ['VirtualService', 'networking.istio.io/VirtualService'],
    ['virtualservices', 'networking.istio.io/VirtualService'],
    ['vs', 'networking.istio.io/VirtualService'],
    ['authorizationpolicies.security.istio.io', 'security.istio.io/AuthorizationPolicy'],
    ['gateways.gateway.networking.k8s.io', 'gateway.networking.k8s.io/Gateway'],
    ['meshes', 'consul.hashicorp.com/Mesh'],
    ['servicedefaults', 'consul.hashicorp.com/ServiceDefaults'],
    ['service-router', 'consul.hashicorp.com/ServiceRouter'],
    ['svc', '/Service'],
  ])('is named %s', (word, kind) => {
    expect(named(word)).toEqual([kind]);
  });

  it('whose name several dialects have is meant in all of them', () => {
    expect(named('httproutes').length).toBe(2);
    expect(named('gw')).toEqual(['networking.istio.io/Gateway', 'gateway.networking.k8s.io/Gateway']);
  });

  it('each is found by its own name, in small letters, and with its group', () => {
    for (const { group, kind } of KINDS) {
      expect(named(kind)).toContain(`${group}/${kind}`);
      if (group !== '') expect(named(`${kind.toLowerCase()}.${group}`)).toEqual([`${group}/${kind}`]);
    }
  });

  it.each([
    ['virtualservics', 'VirtualService'],
    ['destinationrul', 'DestinationRule'],
    ['constructor', null],
    ['zzzzzzzzzzzz', null],
  ])('that there is not: %s', (word, near) => {
    expect([named(word), kindNear(word)]).toEqual([[], near]);
  });
});
