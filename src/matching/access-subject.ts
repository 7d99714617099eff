import { isIP } from 'node:net';
import type { AccessSubject } from '../model/authorization.js';
import type { RouteMatch } from '../model/route.js';
import { type Fields, headTest, PSEUDO_FIELDS, pathOf, type Subject } from './match.js';
import type { TextTest } from './text.js';

/** What a token that was verified says. */
export type Claims = Readonly<Record<string, unknown>>;

/** A call as authorization sees it: one under way, or one that is only described. */
export interface AccessRequest {
  /** SPIFFE ID that the caller proved; '' = none. */
  readonly principal: string;
  /** Names by which policies know it too, where its mesh gives it another. */
  readonly accounts?: readonly string[] | undefined;
  readonly peerAddress: string;
  readonly ownAddress: string;
  /** The workload's own port. */
  readonly port: number;
  /** Name that the TLS handshake asked for; '' = none. */
  readonly serverName: string;
  /** Null = a TCP connection. */
  readonly head: Subject | null;
  /** Fields that `Connection` named away: the app never sees them, and a rule against them does. */
  readonly dropped: Fields | null;
  /** Null = no token was shown. */
  readonly claims: Claims | null;
}

/** Asks a test about a thing of a call; false where the call has no such thing. */
export type Look = (request: AccessRequest, test: TextTest) => boolean;

/**
 * How a thing is looked at. `wide` is for rules that keep callers out: they also see it as the most careless server behind
 * would read it (a list in one field line as its members, a path without its parameters, a host without its port), and
 * believe what nobody proved; rules that let in see it as it is only.
 */
export function lookAt(subject: AccessSubject, wide: boolean): Look {
  switch (subject.kind) {
    case 'principal':
      return ({ principal, accounts }, test) =>
        principal !== '' && (test(principal.slice(SCHEME)) || (accounts?.some(test) ?? false));
    case 'peer-address':
      return ({ peerAddress }, test) => test(peerAddress);
    case 'own-address':
      return ({ ownAddress }, test) => test(ownAddress);
    case 'remote-address':
      return wide
        ? (request, test) => test(firstCaller(request)) || test(claimedAddress(request.head) ?? request.peerAddress)
        : (request, test) => test(firstCaller(request));
    case 'port':
      return ({ port }, test) => test(String(port));
    case 'server-name':
      return ({ serverName }, test) => serverName !== '' && test(serverName);
    case 'host':
      return wide ? lookAtHost : ({ head }, test) => head !== null && test(head.host);
    case 'method':
      return ({ head }, test) => head !== null && test(head.method);
    case 'path':
      return wide ? lookAtPath : ({ head }, test) => head !== null && test(pathOf(head.target));
    case 'route':
      return lookAtRoute(subject.matches, subject.before);
    case 'header':
      return lookAtField(subject.name, wide);
    case 'claim':
      return ({ claims }, test) => claims !== null && claimTexts(claims, subject.path).some(test);
    case 'request-principal':
      return ({ claims }, test) => claims !== null && test(requestPrincipal(claims));
  }
}

const SCHEME = 'spiffe://'.length;

/** Fields whose values are told to nobody. */
const SECRETS = new Set(['authorization', 'cookie']);

/** What a condition looks at, for a sentence. */
export function subjectText(subject: AccessSubject, request: AccessRequest): string {
  const { head, claims } = request;
  switch (subject.kind) {
    case 'principal':
      return request.principal === '' ? 'a caller without identity' : request.principal;
    case 'peer-address':
      return request.peerAddress;
    case 'own-address':
      return request.ownAddress;
    case 'remote-address':
      return firstCaller(request);
    case 'port':
      return String(request.port);
    case 'server-name':
      return request.serverName || 'none';
    case 'host':
      return head?.host ?? 'none';
    case 'method':
      return head?.method ?? 'none';
    case 'path':
      return head === null ? 'none' : pathOf(head.target);
    case 'route':
      return head === null ? 'no request' : `${head.method} ${pathOf(head.target)}`;
    case 'header':
      if (SECRETS.has(subject.name)) return 'another';
      return (
        fieldLines(head, subject.name)
          .map((line) => JSON.stringify(line))
          .join(' and ') || 'none'
      );
    case 'claim':
      return claims === null ? 'missing with the token' : claimTexts(claims, subject.path).join(' and ') || 'none';
    case 'request-principal':
      return claims === null
        ? 'missing with the token'
        : requestPrincipal(claims).replace(TOKEN_SEPARATOR, '/') || 'none';
  }
}

/** Inbound routes are asked in their order; the first that is met is the request's. */
function lookAtRoute(matches: readonly RouteMatch[], before: readonly RouteMatch[]): Look {
  const [own, earlier] = [matches.map(headTest), before.map(headTest)];
  return ({ head }) => head !== null && own.some((test) => test(head)) && !earlier.some((test) => test(head));
}

function lookAtHost({ head }: AccessRequest, test: TextTest): boolean {
  if (head === null) return false;
  const { host } = head;
  const colon = host.lastIndexOf(':');
  return test(host) || (colon > 0 && !host.endsWith(']') && test(host.slice(0, colon)));
}

function lookAtPath({ head }: AccessRequest, test: TextTest): boolean {
  if (head === null) return false;
  const path = pathOf(head.target);
  if (test(path)) return true;
  const bare = withoutParameters(path);
  return bare !== path && test(bare);
}

/** A path as servers read it that take `;…` of an element for parameters, and an escaped `#` for the end. */
function withoutParameters(path: string): string {
  const end = path.indexOf('%23');
  return (end < 0 ? path : path.slice(0, end)).replace(/;[^/]*/g, '').replace(/\/{2,}/g, '/');
}

function lookAtField(name: string, wide: boolean): Look {
  if (!wide) return ({ head }, test) => fieldLines(head, name).some(test);
  return ({ head, dropped }, test) =>
    fieldLines(head, name).some((line) => test(line) || isListed(line, test)) ||
    (dropped?.all(name).some((line) => test(line) || isListed(line, test)) ?? false);
}

function isListed(line: string, test: TextTest): boolean {
  return line.includes(',') && line.split(',').some((member) => test(member.trim()));
}

/** Each line by itself; what is no field in HTTP/1.1 may be asked for like one. */
function fieldLines(head: Subject | null, name: string): readonly string[] {
  if (head === null) return [];
  const pseudo = PSEUDO_FIELDS.get(name);
  return pseudo === undefined ? head.fields.all(name) : [pseudo(head)];
}

/** Who the last proxy says is the first caller; believed of those alone who proved who they are. */
function firstCaller(request: AccessRequest): string {
  return (request.principal === '' ? null : claimedAddress(request.head)) ?? request.peerAddress;
}

/** The last entry of `x-forwarded-for`; null where that is no address (Envoy then takes the connection's). */
function claimedAddress(head: Subject | null): string | null {
  if (head === null) return null;
  const last = head.fields.all('x-forwarded-for').join(',').split(',').at(-1)?.trim() ?? '';
  return isIP(last) === 0 ? null : last;
}

/** The texts of a claim: itself, or the members of a list. Numbers and flags are no texts (observed). */
function claimTexts(claims: Claims, path: readonly string[]): readonly string[] {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Record<string, unknown>)[name];
  }
  const texts = Array.isArray(value) ? value : [value];
  return texts.filter((text): text is string => typeof text === 'string' && text !== '');
}

/** `issuer`, a line break, `subject`: each may hold slashes. '' unless both are there. */
function requestPrincipal({ iss, sub }: Claims): string {
  if (typeof iss !== 'string' || typeof sub !== 'string' || iss === '' || sub === '') return '';
  return `${iss}${TOKEN_SEPARATOR}${sub}`;
}

/** Between issuer and subject; none of both holds it, since tokens that do are refused. */
export const TOKEN_SEPARATOR = '\n';
