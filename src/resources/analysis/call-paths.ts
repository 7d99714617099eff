import { objectName } from '../../model/policies.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import type { HttpRoute, VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost } from '../words.js';
import type { KnownCall, Tell, World } from './world.js';

/** What the mesh does with calls to one service, at its most patient: over all of the rules that may be met. */
interface Patience {
  /** Tries for each of the app's own. */
  readonly tries: number;
  /** Of all of these together, ms; null = without end. */
  readonly timeoutMs: number | null;
  /** The longest delay that a rule injects, ms, and where it stands. */
  readonly delay: { readonly ms: number; readonly object: Resource; readonly source: SourceRef } | null;
  /** Where the retries stand. */
  readonly retries: { readonly object: Resource; readonly source: SourceRef } | null;
}

/** So many requests at the end of a way for one at its beginning are worth a word. */
const AMPLIFIED = 8;
/** Longest ways that are looked at, calls. */
const DEEPEST = 8;

/**
 * Waiting and retrying along the ways that requests take through the app: a caller that gives up before the one that it
 * calls does, delays that nobody waits for, and tries that multiply from hop to hop.
 */
export function analyzeCallPaths(world: World, tell: Tell): void {
  const told = new Set<string>();
  for (const first of world.calls) {
    for (const next of world.calls.filter(({ from }) => isCallee(first, from))) checkPair(world, first, next, tell);
    checkDelay(world, first, tell);
    for (const way of waysFrom(world, [first])) checkTries(world, way, told, tell);
  }
}

function isCallee({ service }: KnownCall, from: KnownCall['from']): boolean {
  return from.app === service || from.name === service;
}

function waitOf({ timeoutMs, tries }: KnownCall, mesh: Patience): number | null {
  const each = [timeoutMs, mesh.timeoutMs].filter((ms) => ms !== null);
  return each.length === 0 ? null : Math.min(...each) * tries;
}

/** A caller that waits shorter for one try than the callee waits for the next: work goes on that nobody wants any more. */
function checkPair(world: World, first: KnownCall, next: KnownCall, tell: Tell): void {
  const [above, below] = [patienceFor(world, first), patienceFor(world, next)];
  const limit = [first.timeoutMs, above.timeoutMs].filter((ms) => ms !== null);
  if (limit.length === 0) return;
  const patience = Math.min(...limit);
  const need = waitOf(next, below);
  if (need !== null && need <= patience) return;
  const [caller, callee] = [first.from.name, next.from.name];
  const tries = first.tries > 1 ? ` in each of ${first.tries} tries` : '';
  const wait = need === null ? 'without end' : `up to ${need} ms`;
  tell(
    'MS0130',
    'warning',
    { kind: 'workload', namespace: first.from.namespace, name: caller, source: first.source },
    first.source,
    `${caller} waits ${patience} ms for ${first.service}${tries}, and ${callee} waits ${wait} for ${next.service}: the caller gives up first, after ${patience * first.tries} ms, and what ${callee} still does is for nobody`,
    { hint: `a timeout below ${patience} ms for ${next.service}, in ${callee} or in a rule for ${next.service}` },
  );
}

/** A delay that is injected and outlasts whoever waits for it. */
function checkDelay(world: World, call: KnownCall, tell: Tell): void {
  const mesh = patienceFor(world, call);
  if (mesh.delay === null) return;
  const { ms, object, source } = mesh.delay;
  const name = call.from.name;
  if (call.timeoutMs !== null && ms >= call.timeoutMs)
    tell(
      'MS0132',
      'info',
      object,
      source,
      `the delay of ${ms} ms is longer than ${name} waits for ${call.service} (${call.timeoutMs} ms${call.tries > 1 ? `, ${call.tries} tries` : ''}): it fails there, and looks like a sick ${call.service}`,
    );
  for (const above of world.calls.filter((one) => isCallee(one, call.from))) {
    if (
      above.timeoutMs === null ||
      ms < above.timeoutMs ||
      (call.timeoutMs !== null && call.timeoutMs <= above.timeoutMs)
    )
      continue;
    tell(
      'MS0132',
      'info',
      object,
      source,
      `the delay of ${ms} ms fits into what ${name} waits for ${call.service}, but not into what ${above.from.name} waits for ${above.service}: after ${above.timeoutMs * above.tries} ms ${above.from.name} has no ${above.service}, though ${call.service} answers`,
    );
  }
}

/** Ways that go on from a way, without circles; a way that goes on nowhere is one itself. */
function waysFrom(world: World, way: readonly KnownCall[]): (readonly KnownCall[])[] {
  const last = way.at(-1) as KnownCall;
  const next = way.length >= DEEPEST ? [] : world.calls.filter(({ from }) => isCallee(last, from));
  const open = next.filter(({ from }) => !way.some((call) => call.from.app === from.app));
  return open.length === 0 ? [way] : open.flatMap((call) => waysFrom(world, [...way, call]));
}

function checkTries(world: World, way: readonly KnownCall[], told: Set<string>, tell: Tell): void {
  const factors = way.flatMap((call) => {
    const mesh = patienceFor(world, call);
    return [
      { tries: call.tries, who: `${call.from.name} itself`, at: null },
      { tries: mesh.tries, who: `its sidecar for ${call.service}`, at: mesh.retries },
    ].filter(({ tries }) => tries > 1);
  });
  const all = factors.reduce((product, { tries }) => product * tries, 1);
  const [first, last] = [way[0] as KnownCall, way.at(-1) as KnownCall];
  const worst = factors.findLast(({ at }) => at !== null)?.at;
  if (all < AMPLIFIED || factors.length < 2 || worst == null) return;
  const text = `one request at ${first.from.app} may become ${all} at ${last.service}, where all of it fails: ${factors.map(({ tries, who }) => `${tries} (${who})`).join(' × ')}`;
  if (told.has(text)) return;
  told.add(text);
  tell('MS0131', 'warning', worst.object, worst.source, text, {
    hint: 'let one place of a way retry, the one nearest to the failure, and give it a retryBudget',
  });
}

const REPEATING = ['5xx', 'gateway-error', 'reset', 'retriable-4xx'];

/** What one rule makes of waiting and trying. */
interface RulePatience {
  readonly object: Resource;
  readonly tries: number;
  readonly retriesAt: SourceRef;
  /** 0 = without end. */
  readonly timeoutMs: number;
  readonly delayMs: number;
  readonly delayAt: SourceRef;
}

/** Over the rules for a service: most tries, the longest timeout, the longest delay. */
function patienceFor(world: World, call: KnownCall): Patience {
  const host = world.services.find(({ name }) => name === call.service)?.host;
  const rules = host === undefined ? [] : [...virtualRules(world, host), ...routeRules(world, host)];
  const retrying = rules.filter(({ tries }) => tries > 1).sort((a, b) => b.tries - a.tries)[0];
  const delayed = rules.filter(({ delayMs }) => delayMs > 0).sort((a, b) => b.delayMs - a.delayMs)[0];
  const timeouts = rules.map(({ timeoutMs }) => timeoutMs);
  return {
    tries: retrying?.tries ?? 1,
    timeoutMs: timeouts.length === 0 || timeouts.includes(0) ? null : Math.max(...timeouts),
    retries: retrying === undefined ? null : { object: retrying.object, source: retrying.retriesAt },
    delay: delayed === undefined ? null : { ms: delayed.delayMs, object: delayed.object, source: delayed.delayAt },
  };
}

function virtualRules(world: World, host: string): RulePatience[] {
  return ofKind<VirtualService>(world.resources, 'istio', 'VirtualService')
    .filter(({ spec, namespace }) => (spec.hosts ?? []).some((name) => fullHost(name, namespace) === host))
    .flatMap((object) =>
      (object.spec.http ?? []).map((rule) => ({
        object,
        tries: triesOf(rule),
        retriesAt: sourceOf(rule, 'retries'),
        timeoutMs: rule.timeout ?? 0,
        delayMs: delayOf(rule),
        delayAt: sourceOf(rule, 'fault'),
      })),
    );
}

/** Rules of the Gateway API; they inject nothing. */
function routeRules(world: World, host: string): RulePatience[] {
  const sets = world.routeSets().filter(({ gateways, hosts }) => gateways.includes('mesh') && hosts.includes(host));
  return sets.flatMap(({ object, rules }) =>
    rules.flatMap(({ route: { action, origin } }): RulePatience[] => {
      if (action.kind !== 'forward') return [];
      const source = origin?.source ?? object.source;
      const repeats = (action.retry?.retriableStatusCodes ?? []).length > 0;
      return [
        {
          object: world.resources.find((one) => objectName(one) === origin?.object) ?? (object as Resource),
          tries: repeats ? (action.retry?.attempts ?? 0) + 1 : 1,
          retriesAt: source,
          timeoutMs: action.timeoutMs ?? 0,
          delayMs: 0,
          delayAt: source,
        },
      ];
    }),
  );
}

/** Only what repeats answers multiplies: a connection that never came about did no work. */
function triesOf({ retries }: HttpRoute): number {
  const words = (retries?.retryOn ?? '').split(',');
  const repeats = words.some((word) => REPEATING.includes(word) || /^[45]\d\d$/.test(word));
  return repeats ? (retries?.attempts ?? 0) + 1 : 1;
}

function delayOf({ fault }: HttpRoute): number {
  return fault?.delay?.fixedDelay ?? 0;
}
