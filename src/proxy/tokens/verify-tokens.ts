import type { Claims } from '../../matching/access-subject.js';
import type { TokenFailure } from '../../model/token-failure.js';
import type { Clock } from '../../platform/clock.js';
import type { Call, Filter } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import type { Believed, TokenTable } from './token-table.js';

/** Longest part of a target in `www-authenticate`, characters (Envoy). */
const REALM_LIMIT = 256;

/**
 * Believes a token or refuses the request: no token passes, and authorization then says whether that will do. Preflights
 * carry no tokens of their own and pass.
 */
export function verifyTokens(clock: Clock, table: () => TokenTable): Filter<Call> {
  return (next) => (call) => {
    const tokens = table();
    if (tokens.isEmpty) return next(call);
    for (let i = 0; i < tokens.outputs.length; i++) call.head.fields.remove(tokens.outputs[i] as string);
    if (!isPreflight(call)) {
      const judged = tokens.judge(call.head, clock.now() / 1000);
      if (typeof judged === 'string') refuse(call, judged);
      else if (judged !== null) believe(call, judged);
    }
    return next(call);
  };
}

function isPreflight({ head }: Call): boolean {
  return (
    head.method === 'OPTIONS' &&
    head.fields.get('origin') !== undefined &&
    head.fields.get('access-control-request-method') !== undefined
  );
}

function refuse(call: Call, failure: TokenFailure): never {
  const { head, peer } = call;
  const url = `${peer.principal === '' ? 'http' : 'https'}://${head.host}${head.target.slice(0, REALM_LIMIT)}`;
  const challenge = `Bearer realm="${url}", error="invalid_token"`;
  call.replyChanges = [...call.replyChanges, { remove: [], set: [['www-authenticate', challenge]], add: [] }];
  throw new ProxyError(failure);
}

function believe(call: Call, { rule, token, shown }: Believed): void {
  const { fields } = call.head;
  call.claims = token.claims;
  if (!rule.forward) for (const { takeOut } of shown) takeOut();
  // Whoever reads the record later must not find a token in it.
  call.record.path = call.head.target;
  if (rule.payloadHeader !== '')
    fields.append(rule.payloadHeader, rule.padsPayload ? padded(token.payload) : token.payload);
  for (const { header, claim } of rule.claimHeaders) {
    const value = claimText(token.claims, claim);
    if (value !== null) fields.append(header, value);
  }
  call.record.decide({
    kind: 'token',
    text: `its token of ${token.claims['iss']} is believed, as ${rule.object} says`,
    rule: rule.object,
    source: rule.source,
  });
}

/** Base64 in full groups of four. */
function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** A claim as a field's value: lists and tables in base64 (Envoy). Null = it is missing, or cannot stand in a field. */
function claimText(claims: Claims, path: readonly string[]): string | null {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = (value as Record<string, unknown>)[name];
  }
  if (value === null || value === undefined) return null;
  const text = typeof value === 'object' ? Buffer.from(JSON.stringify(value)).toString('base64') : String(value);
  return /^[\x20-\x7e]*$/.test(text) ? text : null;
}
