import { type Access, accessOf } from '../../matching/access.js';
import { type Authorization, type Authorizer, accessRuleText } from '../../model/authorization.js';
import type { Clock } from '../../platform/clock.js';
import { bodyOf, NO_BODY } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { RequestHead, ResponseHead } from '../codec/message.js';
import { reasonOf } from '../codec/reason.js';
import { Call, type Filter, type Handler, NO_PEER, type Reply } from '../pipeline/call.js';
import { ExchangeRecord } from '../pipeline/exchange-record.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { requestOf } from './authorize.js';

/** The external authorizers of a configuration, and which requests they are asked about. */
export type ExternalTable = readonly {
  readonly access: Access;
  readonly authorizer: Authorizer | null;
  readonly name: string;
}[];

/** Throws when an expression of a rule is none. */
export function externalTable(authorization: Authorization | undefined): ExternalTable {
  return (authorization?.external ?? []).map(({ rules, authorizer, name }) => ({
    // Who is asked about too much is safe, about too little is not: as with what keeps out.
    access: accessOf(
      { rules: rules.map((rule) => ({ ...rule, action: 'deny' })), otherwise: { action: 'allow', because: '' } },
      'http',
    ),
    authorizer,
    name,
  }));
}

export interface ExternalParts {
  readonly clock: Clock;
  readonly table: () => ExternalTable;
  /** Whether there is a cluster of this name. */
  readonly isKnown: (cluster: string) => boolean;
  /** The way of a request of the sidecar's own to another workload. */
  readonly ask: Handler<Call>;
}

/**
 * Asks external authorizers about requests that a rule sends to them, before any other rule is asked (Istio's CUSTOM): 200
 * lets on, anything else is the caller's answer; whoever cannot be asked lets nobody in, unless it may (`failOpen`).
 */
export function askAuthorizers(parts: ExternalParts): Filter<Call> {
  return (next) => (call) => {
    const table = parts.table();
    if (table.length === 0) return next(call);
    const met = table.filter(({ access }) => !access.decide(requestOf(call)).allowed);
    if (met.length === 0) return next(call);
    return met
      .reduce<Promise<Reply | null>>(
        async (refused, one) => (await refused) ?? askOne(one, call, parts),
        Promise.resolve(null),
      )
      .then((refused) => refused ?? next(call));
  };
}

/** Null = it lets the request on. */
async function askOne(one: ExternalTable[number], call: Call, parts: ExternalParts): Promise<Reply | null> {
  const { rule } = one.access.decide(requestOf(call));
  const said = (text: string): void =>
    call.record.decide({
      kind: 'authorization',
      text: `${rule === null ? 'a rule' : accessRuleText(rule)} asks ${one.name}, ${text}`,
      rule: rule?.name ?? '',
      source: rule?.source ?? null,
    });
  if (one.authorizer === null) {
    said('who is declared nowhere: nobody is let in');
    throw new ProxyError('access_denied', one.name);
  }
  const answer = parts.isKnown(one.authorizer.cluster) ? await answerOf(one.authorizer, call, parts) : null;
  if (answer === null || answer.head.status >= 500) {
    said(`who gives no answer${one.authorizer.failOpen ? ', and may be passed over' : ''}`);
    return one.authorizer.failOpen ? null : refusal(call, one.authorizer, null);
  }
  if (answer.head.status === 200) {
    said('who lets it in');
    for (const name of one.authorizer.onAllow) {
      const value = answer.head.fields.get(name);
      if (value !== undefined) call.head.fields.set(name, value);
    }
    return null;
  }
  said(`who answers ${answer.head.status}`);
  return refusal(call, one.authorizer, answer);
}

interface Answer {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** Null = nobody answered, or not in time. */
async function answerOf(authorizer: Authorizer, call: Call, { clock, ask }: ExternalParts): Promise<Answer | null> {
  const record = new ExchangeRecord(0, 'outbound', clock.monotonic());
  record.requestId = call.record.requestId;
  const question = new Call(headFor(authorizer, call), NO_BODY, record, NO_PEER, authorizer.port, '');
  call.active = { abort: (error) => question.cancel(error) };
  const timer = clock.after(authorizer.timeoutMs, () => question.cancel(new ProxyError('request_timeout')));
  const answer = await ask(question)
    .then(async (reply) => ({ head: reply.head, body: await wholeOf(reply) }))
    .catch(() => null);
  timer.cancel();
  call.active = null;
  question.finish();
  // Whoever asked has left meanwhile.
  if (call.cancelled !== null) throw call.cancelled;
  return record.failure === null ? answer : null;
}

/** Method, path and Host are the request's; of its fields those that the authorizer wants. */
function headFor({ asked, added, host, pathPrefix }: Authorizer, { head }: Call): RequestHead {
  const fields = FieldBlock.of('x-request-id', head.fields.get('x-request-id') ?? '');
  for (const [name, value] of namedFields(head.fields))
    if (name !== 'x-request-id' && (name === 'authorization' || asked.some((wanted) => isNamed(wanted, name))))
      fields.append(name, value);
  for (const [name, value] of added) fields.set(name, value);
  fields.set('x-forwarded-host', head.host);
  return {
    ...head,
    target: `${pathPrefix}${head.target}`,
    host,
    fields,
    length: 0,
    upgrade: '',
    expectContinue: false,
    takesTrailers: false,
    dropped: null,
  };
}

function namedFields(fields: FieldBlock): [string, string][] {
  const pairs = fields.pairs();
  return Array.from({ length: pairs.length / 2 }, (_, i) => [pairs[2 * i] as string, pairs[2 * i + 1] as string]);
}

/** `x-*`, `*-id`, or the whole name. */
function isNamed(wanted: string, name: string): boolean {
  if (wanted.endsWith('*')) return name.startsWith(wanted.slice(0, -1));
  return wanted.startsWith('*') ? name.endsWith(wanted.slice(1)) : wanted === name;
}

/** So much of an authorizer's answer is passed on, bytes. */
const LONGEST = 64 * 1024;

function wholeOf({ body, tunnel }: Reply): Promise<Buffer> {
  tunnel?.destroy();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.attach({
      onChunk(chunk) {
        bytes += chunk.length;
        if (bytes <= LONGEST) chunks.push(chunk);
        return true;
      },
      onEnd: () => resolve(Buffer.concat(chunks)),
      onError: reject,
    });
  });
}

/** What the caller is answered: the authorizer's own words, or the status for want of them. */
function refusal(call: Call, { onDeny, statusOnError }: Authorizer, answer: Answer | null): Reply {
  call.record.fail(answer === null ? 'authorizer_error' : 'authorizer_denied');
  call.body.abandon();
  const status = answer?.head.status ?? statusOnError;
  const fields = FieldBlock.of('server', 'mesh-sandbox');
  for (const [name, value] of answer === null ? [] : namedFields(answer.head.fields))
    if (!OWN.has(name) && (onDeny === null || onDeny.some((wanted) => isNamed(wanted, name))))
      fields.append(name, value);
  const content = answer?.body ?? Buffer.alloc(0);
  return {
    head: {
      status,
      reason: reasonOf(status),
      fields,
      length: content.length,
      declaredLength: -1,
      keepAlive: true,
      upgraded: false,
    },
    body: bodyOf(content),
    tunnel: null,
  };
}

/** Fields of an answer that are this proxy's, or another hop's. */
const OWN = new Set([
  'server',
  'date',
  'content-length',
  'transfer-encoding',
  'connection',
  'x-envoy-upstream-service-time',
]);
