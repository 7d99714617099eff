import { type Decision, ENCRYPTION, type Exchange } from '../model/exchange.js';
import { sleep, systemClock } from '../platform/clock.js';
import type { Outcome } from '../policy-test/outcome.js';
import { resultOf, type TestResult } from '../policy-test/run.js';
import type { PolicyTest, Suite } from '../policy-test/suite.js';
import type { PolicyFileInput } from '../protocol/api-types.js';
import type { ProbeResult } from '../runtime/probe/ask.js';
import { SandboxError, type SandboxHost } from '../runtime/runtime.js';
import { type Context, clientOf, findSandbox, hostOf } from './context.js';

type Client = ReturnType<typeof clientOf>;

interface Traffic {
  readonly suite: Suite;
  readonly policies: readonly PolicyFileInput[];
  readonly name: string | undefined;
}

/** Where shares are expected, so many requests are sent unless the test says how many. */
const SAMPLE = 200;

/**
 * Runs tests by sending their requests in a running sandbox, under the policies of the suite alone. What was applied before
 * is applied again afterwards, whatever happens.
 */
export async function runWithTraffic(context: Context, { suite, policies, name }: Traffic): Promise<TestResult[]> {
  const state = findSandbox(context, name);
  const client = clientOf(state);
  const before = await client.call('resources', {});
  const host = await hostOf(context, state);
  try {
    await replaceResources(client, policies);
    const results: TestResult[] = [];
    for (const test of suite.tests) results.push(await runOne(client, host, test));
    return results;
  } finally {
    const texts = new Map(before.map(({ source, text }) => [text, source.file]));
    await replaceResources(
      client,
      [...texts].map(([text, file]) => ({ name: file, text })),
    );
  }
}

async function replaceResources(client: Client, files: readonly PolicyFileInput[]): Promise<void> {
  await client.call('deleteResources', { all: true });
  if (files.length === 0) return;
  const { applied, findings, refused } = await client.call('applyResources', { files });
  if (applied) return;
  const why = [...findings.map(({ message }) => message), ...refused.map(({ reason }) => reason)];
  throw new SandboxError(`the policies were refused: ${why[0] ?? 'without a reason'}`);
}

async function runOne(client: Client, host: SandboxHost, test: PolicyTest): Promise<TestResult> {
  const { request, expect, times = Object.keys(expect.to ?? {}).length > 1 ? SAMPLE : 1 } = test;
  const workloads = await client.call('workloads', {});
  const from = workloads.find(
    ({ name, app, role }) => role === 'sidecar' && (name === request.from || app === request.from),
  );
  if (from === undefined) return resultOf(test, null, [`no workload ${request.from} has a sidecar`], 0);
  const started = systemClock.monotonic();
  const id = crypto.randomUUID();
  const { to, method = 'GET', path = '/', headers = {} } = request;
  const url = `http://${/:\d+$/.test(to) ? to : `${to}:${await portOf(client, to)}`}${path}`;
  const fields: [string, string][] = [...Object.entries(headers), ['x-request-id', id]];
  const probe = { method, url, headers: fields, body: null, timeoutMs: 30_000, times };
  const { stdout, stderr } = await host.probe(from.name, probe, from.listenPorts);
  const ms = systemClock.monotonic() - started;
  const answers = answersOf(stdout);
  if (answers === null)
    return resultOf(test, null, [`the request could not be sent: ${stderr.trim() || stdout.trim()}`], ms);
  const exchanges = await recordsOf(client, id, { caller: from.name, times });
  return resultOf(test, outcomeOf(answers, exchanges), [], ms);
}

async function portOf(client: Client, to: string): Promise<number> {
  const service = (await client.call('services', {})).find(({ name, hosts }) => name === to || hosts.includes(to));
  return service?.ports[0]?.port ?? 80;
}

function answersOf(stdout: string): ProbeResult[] | null {
  try {
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ProbeResult);
  } catch {
    return null;
  }
}

/** What the caller's sidecar recorded of these requests; they arrive a moment later, and of very many some are missing. */
async function recordsOf(
  client: Client,
  id: string,
  { caller, times }: { readonly caller: string; readonly times: number },
): Promise<readonly Exchange[]> {
  let seen: readonly Exchange[] = [];
  // Both sidecars tell of each.
  for (let looks = 0; looks < 20 && seen.length < 2 * times; looks++) {
    await sleep(systemClock, 120);
    const all = await client.call('exchanges', { from: caller, limit: 5_000 });
    const found = all.filter(({ requestId }) => requestId === id || requestId.startsWith(`${id}/`));
    if (found.length > 0 && found.length === seen.length && looks > 5) break;
    seen = found;
  }
  return seen;
}

function outcomeOf(answers: readonly ProbeResult[], hops: readonly Exchange[]): Outcome {
  const exchanges = hops.filter(({ reporter }) => reporter.direction === 'outbound');
  const routed = exchanges.flatMap(({ decisions }) => decisions.filter(({ kind }) => kind === 'route').slice(0, 1));
  const [route] = routed;
  const destinations = routed.map(({ text }) => / sent it to (.+)$/.exec(text)?.[1]).filter((one) => one !== undefined);
  const to: Record<string, number> = {};
  for (const one of destinations) to[one] = (to[one] ?? 0) + 100 / destinations.length;
  const callees = hops.filter(({ reporter }) => reporter.direction === 'inbound');
  const own =
    exchanges.filter(({ attempts, failure }) => failure !== null || attempts.length === 0).length +
    callees.filter(({ details }) => details === 'direct_response').length;
  const denied = answers.every(({ status }) => status === 403);
  return {
    rule: route === undefined ? '' : route.text.replace(/ (?:sent it to|answered it|redirected it).*$/, ''),
    source: route?.source ?? null,
    access: [...hops.map(decisionsOf('authorization')), ...callees.map(decisionsOf('route'))]
      .flat()
      .map(({ text }) => /^rule \d+ of \S+ \S+(?: \([^)]*\))?/.exec(text)?.[0] ?? ''),
    to,
    sample: Math.max(1, destinations.length),
    statuses: [...new Set(answers.map(({ status }) => status))],
    answeredBy: own === 0 && !denied ? 'app' : own === exchanges.length || denied ? 'mesh' : 'both',
    denied,
    retries: 0,
    retryOn: [],
    timeoutMs: null,
    encryption: [
      ...new Set(
        exchanges.filter(({ attempts }) => attempts.length > 0).map(({ security }) => ENCRYPTION[security.mode]),
      ),
    ],
    attempts: Math.max(0, ...exchanges.map(({ attempts }) => attempts.length)),
    why: exchanges[0]?.considered.filter(({ why }) => why !== '').map(({ rule, why }) => `${rule}: ${why}`) ?? [],
  };
}

function decisionsOf(kind: Decision['kind']): (exchange: Exchange) => readonly Decision[] {
  return ({ decisions }) => decisions.filter((decision) => decision.kind === kind);
}
