import { nearest } from '../model/nearest.js';
import { KINDS } from './kinds.js';
import type { Kind } from './resource.js';

/**
 * The kinds that a word means, as kubectl takes them: `VirtualService`, `virtualservices`, `vs`,
 * `virtualservices.networking.istio.io`, and Consul's `service-router`. Several where dialects share a name; none = no
 * kind is called so.
 */
export function kindsNamed(word: string): readonly Kind[] {
  const [bare = '', ...groupParts] = word.toLowerCase().split('.');
  const group = groupParts.join('.');
  const given = bare.replaceAll('-', '');
  const name = SHORT.get(given) ?? given;
  return KINDS.filter(({ group: own, kind }) => (group === '' || own === group) && isNamed(kind.toLowerCase(), name));
}

/** What to type in place of a word that no kind is called by. */
export function kindHint(word: string): string {
  const near = kindNear(word);
  return near === null ? 'mesh-sandbox kinds lists them' : `did you mean ${near}?`;
}

/** A kind whose name is near a misspelt one, or null. */
export function kindNear(word: string): string | null {
  return nearest(
    word.replace(/s$/i, ''),
    KINDS.map(({ kind }) => kind),
  );
}

/** By its name or its plural, as the CRDs have them: `mesh` and `meshes`, `servicedefaults` for both. */
function isNamed(kind: string, name: string): boolean {
  if (name === kind) return true;
  if (/[^aeiou]y$/.test(kind)) return name === `${kind.slice(0, -1)}ies`;
  return name === `${kind}${kind.endsWith('sh') ? 'es' : 's'}`;
}

/** Short names that the CRDs themselves declare, and those of Kubernetes. */
const SHORT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    vs: 'virtualservice',
    dr: 'destinationrule',
    se: 'serviceentry',
    we: 'workloadentry',
    gw: 'gateway',
    gtw: 'gateway',
    pa: 'peerauthentication',
    ap: 'authorizationpolicy',
    ra: 'requestauthentication',
    btlspolicy: 'backendtlspolicy',
    refgrant: 'referencegrant',
    svc: 'service',
    sa: 'serviceaccount',
    cm: 'configmap',
    deploy: 'deployment',
    sp: 'serviceprofile',
    srv: 'server',
    saz: 'serverauthorization',
    serverauthz: 'serverauthorization',
    authzpolicy: 'authorizationpolicy',
    meshtlsauthn: 'meshtlsauthentication',
    netauthn: 'networkauthentication',
  }),
);
