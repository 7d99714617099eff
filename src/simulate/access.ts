import { type Access, accessOf } from '../matching/access.js';
import type { AccessRequest } from '../matching/access-subject.js';
import type { Subject } from '../matching/match.js';
import { type Authorization, accessRuleText } from '../model/authorization.js';
import type { Consideration } from '../model/exchange.js';
import type { InboundConfig } from '../model/sidecar-config.js';
import type { SourceRef } from '../model/source.js';

/** What the authorization of a callee says of a described request. */
export interface AccessAnswer {
  readonly workload: string;
  readonly allowed: boolean;
  /** `rule 1 of AuthorizationPolicy default/viewer`; '' = none was met. */
  readonly rule: string;
  /** What it is answered where it is kept out. */
  readonly failure: 'access_denied' | 'route_not_found';
  /** `rule 1 of AuthorizationPolicy default/viewer lets it in` */
  readonly text: string;
  readonly source: SourceRef | null;
  /** The rules that were asked, where none of them was met. */
  readonly considered: readonly Consideration[];
}

/** A described request on its way to a callee. */
export interface Arriving {
  readonly workload: string;
  /** SPIFFE ID that the caller's sidecar proves; '' = it speaks plaintext. */
  readonly principal: string;
  /** Port of the service that was called. */
  readonly port: number;
  readonly protocol: 'http' | 'tcp';
  readonly subject: Subject;
}

/**
 * Asks a callee's rules, by the tests that its sidecar uses. Nothing is known of addresses, and a token that was not
 * verified says nothing. Null = no policy is about the callee.
 */
export function accessAt(arriving: Arriving, inbound: InboundConfig | null): AccessAnswer | null {
  const authorization = inbound?.authorization;
  if (inbound === null || authorization === undefined) return null;
  const { workload, principal, protocol, subject } = arriving;
  const request: AccessRequest = {
    principal,
    accounts: inbound.callers[principal]?.accounts,
    peerAddress: '',
    ownAddress: '',
    port: portAt(arriving, inbound),
    serverName: '',
    head: protocol === 'http' ? subject : null,
    dropped: null,
    claims: null,
  };
  const elsewhere = protocol === 'http' ? askedElsewhere(authorization, request) : '';
  const access = accessFor(authorization, protocol);
  const { allowed, rule, text } = access.decide(request);
  const considered = allowed || (rule !== null && !rule.closing) ? [] : access.consider(request);
  return {
    workload,
    allowed,
    rule: rule === null ? '' : accessRuleText(rule),
    failure: rule?.answer ?? 'access_denied',
    text: `${elsewhere}${text}`,
    source: rule?.source ?? null,
    considered,
  };
}

/** The workload's own port at which it arrives. */
export function portAt({ port }: Pick<Arriving, 'port'>, { ports }: InboundConfig): number {
  return (ports.find((declared) => declared.port === port) ?? ports[0])?.port ?? port;
}

/** External authorizers are asked by requests that are sent, and by no other. */
function askedElsewhere({ external = [] }: Authorization, request: AccessRequest): string {
  return external
    .map(({ name, rules }) => ({
      name,
      verdict: accessOf({ rules, otherwise: { action: 'allow', because: '' } }, 'http').decide(request),
    }))
    .filter(({ verdict }) => !verdict.allowed)
    .map(
      ({ name, verdict: { rule } }) =>
        `${rule === null ? '' : accessRuleText(rule)} asks ${name} first, whose answer is not known here; then `,
    )
    .join('');
}

const made = new WeakMap<Authorization, Partial<Record<'http' | 'tcp', Access>>>();

function accessFor(authorization: Authorization, protocol: 'http' | 'tcp'): Access {
  const known = made.get(authorization) ?? {};
  made.set(authorization, known);
  known[protocol] ??= accessOf(authorization, protocol);
  return known[protocol];
}
