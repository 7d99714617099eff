import { textTest } from '../../matching/text.js';
import type { CorsPolicy, FieldChanges } from '../../model/route.js';
import { NO_BODY } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { RequestHead } from '../codec/message.js';
import type { Reply } from '../pipeline/call.js';
import type { CorsVerdict } from '../pipeline/routes.js';

/**
 * Cross-origin sharing as Envoy's filter does it: preflights of an allowed origin are answered here, with the policy's
 * lists as they are (what was asked for is not compared with them); answers to an allowed origin name it. Null = the
 * request is none of CORS's business.
 */
export function corsTest(policy: CorsPolicy): (head: RequestHead) => CorsVerdict | null {
  const tests = policy.allowOrigins.map((match) =>
    match.kind === 'exact' && match.value === '*' ? () => true : textTest(match),
  );
  return (head) => {
    const origin = head.fields.get('origin');
    if (origin === undefined) return null;
    const allowed = tests.some((test) => test(origin));
    const preflight = head.method === 'OPTIONS' && (head.fields.get('access-control-request-method') ?? '') !== '';
    const answered = preflight && (allowed || policy.answerUnmatched);
    if (!allowed && !answered) return null;
    return {
      reply: answered ? preflightReply(policy, allowed, head) : null,
      changes: allowed ? toOrigin(policy, origin) : null,
    };
  };
}

/** Says that the origin may see the answer; what the app said of itself is replaced. */
function toOrigin({ allowCredentials, exposeHeaders }: CorsPolicy, origin: string): FieldChanges {
  const set: [string, string][] = [['access-control-allow-origin', origin]];
  if (allowCredentials) set.push(['access-control-allow-credentials', 'true']);
  if (exposeHeaders !== '') set.push(['access-control-expose-headers', exposeHeaders]);
  return { remove: [], set, add: [] };
}

function preflightReply(policy: CorsPolicy, allowed: boolean, { fields: asked }: RequestHead): Reply {
  const { maxAgeSeconds, allowCredentials } = policy;
  // `*` is what was asked for (observed), since a browser that sends credentials does not take a star.
  const said = (list: string, request: string): string => (list === '*' ? (asked.get(request) ?? '') : list);
  const allowMethods = said(policy.allowMethods, 'access-control-request-method');
  const allowHeaders = said(policy.allowHeaders, 'access-control-request-headers');
  const fields = FieldBlock.of('server', 'mesh-sandbox');
  // Envoy says it to strangers too; without their origin it means nothing.
  if (allowCredentials && !allowed) fields.append('access-control-allow-credentials', 'true');
  if (policy.allowMethods !== '') fields.append('access-control-allow-methods', allowMethods);
  if (policy.allowHeaders !== '') fields.append('access-control-allow-headers', allowHeaders);
  if (maxAgeSeconds !== null) fields.append('access-control-max-age', String(maxAgeSeconds));
  return {
    head: { status: 200, reason: 'OK', fields, length: 0, declaredLength: -1, keepAlive: true, upgraded: false },
    body: NO_BODY,
    tunnel: null,
  };
}
