import { fieldsTest, headTest } from '../../matching/match.js';
import { targetChange } from '../../matching/target-change.js';
import type { FieldChanges, ForwardAction, Rewrite, Route, RouteMatch } from '../../model/route.js';
import type { VirtualHost } from '../../model/sidecar-config.js';
import type { RequestHead } from '../codec/message.js';
import { canonicalHost } from '../codec/target.js';
import type { RoutePolicy } from '../pipeline/call.js';
import type { HostAtWork, RouteAtWork } from '../pipeline/routes.js';
import { corsTest } from './cors.js';
import { answerOf } from './own-answer.js';

/** A virtual host made ready to be obeyed. Throws an Error that names the route when one of them cannot be. */
export function compileHost({ name, routes }: VirtualHost): HostAtWork {
  return { name, routes: routes.map(compileRoute) };
}

function compileRoute(config: Route): RouteAtWork {
  try {
    const { match, action } = config;
    checkFields(config);
    if (action.kind === 'forward') checkWeights(action);
    return {
      config,
      matches: headTest(match),
      answer: action.kind === 'forward' ? null : answerOf(action, match),
      cors: action.kind === 'forward' && action.cors !== null ? corsTest(action.cors) : null,
      policy: action.kind === 'forward' ? policyOf(config.name, action) : null,
      rewrite: action.kind === 'forward' && action.rewrite !== null ? rewriteOf(action.rewrite, match) : null,
    };
  } catch (error) {
    throw new Error(`the route ${config.name}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function policyOf(name: string, { timeoutMs, retry, hash, mirrors }: ForwardAction): RoutePolicy {
  // Made now, so that an expression that is none is a refusal and no surprise.
  if (retry !== null) retry.retriableHeaders.forEach(fieldsTest);
  return { name, timeoutMs, retry, hash, mirrors };
}

/** What goes on the wire as it is said must be able to: a line end in a value would be a field of its own. */
function checkFields({ action, responseFields }: Route): void {
  const all = [responseFields];
  if (action.kind === 'forward') {
    all.push(action.requestFields);
    for (const { requestFields, responseFields: ofCluster } of action.clusters) all.push(requestFields, ofCluster);
    if (action.rewrite?.host != null) canonicalHost(action.rewrite.host);
  }
  for (const changes of all) checkChanges(changes);
}

/** Throws when a field of a change cannot be written. */
export function checkChanges(changes: FieldChanges | null): void {
  for (const [name, value] of [...(changes?.set ?? []), ...(changes?.add ?? [])])
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || !/^[\t -~]*$/.test(value))
      throw new Error(`the field ${JSON.stringify(`${name}: ${value}`)} cannot be written`);
}

/** A cluster that does not exist is not refused: Envoy takes such a route and answers 503 `NC`. */
function checkWeights({ clusters }: ForwardAction): void {
  if (clusters.length === 0) throw new Error('no destination');
  for (const { weight } of clusters) if (!(weight >= 0)) throw new Error('a weight that is not a number');
}

function rewriteOf({ host, path }: Rewrite, match: RouteMatch): (head: RequestHead) => void {
  const change = path === null ? null : targetChange(path, match.path);
  return (head) => {
    if (host !== null) {
      head.fields.set('x-envoy-original-host', head.host);
      head.host = host;
    }
    const target = change?.(head.target) ?? null;
    if (target === null) return;
    head.fields.set('x-envoy-original-path', head.target);
    head.target = target;
  };
}
