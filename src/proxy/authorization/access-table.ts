import { type Access, accessOf, type Verdict } from '../../matching/access.js';
import type { AccessRequest } from '../../matching/access-subject.js';
import { type AccessRule, type Authorization, accessRuleText } from '../../model/authorization.js';
import type { Decision } from '../../model/exchange.js';
import type { ExchangeRecord } from '../pipeline/exchange-record.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/** The authorization of a configuration made ready to be asked. Null = everybody may call. */
export interface AccessTable {
  readonly http: AccessCheck | null;
  readonly tcp: AccessCheck | null;
}

/** Records which rule decided; throws when it keeps the call out. */
export type AccessCheck = (request: AccessRequest, record: ExchangeRecord) => void;

/** Throws when an expression of a rule is none: that is the NACK. */
export function accessTable(authorization: Authorization | undefined): AccessTable {
  if (authorization === undefined) return { http: null, tcp: null };
  return { http: accessCheck(accessOf(authorization, 'http')), tcp: accessCheck(accessOf(authorization, 'tcp')) };
}

function accessCheck(access: Access): AccessCheck {
  // A verdict of a rule is the same object each time, so that what is recorded of it is made once.
  const decisions = new WeakMap<Verdict, Decision>();
  return (request, record) => {
    const verdict = access.decide(request);
    for (let i = 0; i < verdict.noted.length; i++) record.decide(noteOf(verdict.noted[i] as AccessRule));
    let decision = decisions.get(verdict);
    if (decision === undefined) {
      decision = decisionOf(verdict);
      decisions.set(verdict, decision);
    }
    record.decide(decision);
    if (!verdict.allowed) refuse(access, request, verdict, record);
  };
}

function refuse(access: Access, request: AccessRequest, { rule, text }: Verdict, record: ExchangeRecord): never {
  const failure = rule?.answer ?? 'access_denied';
  record.fail(failure);
  if (failure === 'access_denied') record.details = `rbac_access_denied_matched_policy[${rule?.name ?? 'none'}]`;
  // Which rules were not met matters where none was; one that was met says enough by itself.
  if (rule === null || rule.closing) record.considered = () => access.consider(request).slice(0, MOST_CONSIDERED);
  throw new ProxyError(failure, text);
}

/** So many rules are told of one request. */
const MOST_CONSIDERED = 32;

function decisionOf({ rule, text }: Verdict): Decision {
  return { kind: 'authorization', text, rule: rule?.name ?? '', source: rule?.source ?? null };
}

/** What a rule that decides nothing would have done. */
function noteOf(rule: AccessRule): Decision {
  const what =
    rule.action === 'audit' ? 'audits it' : `would ${rule.action === 'deny' ? 'keep it out' : 'let it in'} (dry run)`;
  return { kind: 'authorization', text: `${accessRuleText(rule)} ${what}`, rule: rule.name, source: rule.source };
}
