import type { Command } from 'commander';
import type { Exchange } from '../../model/exchange.js';
import { explain } from '../../model/explain.js';
import type { Explanation } from '../../model/explanation.js';
import { nearest } from '../../model/nearest.js';
import type { Incident } from '../../model/timeline.js';
import { sleep, systemClock } from '../../platform/clock.js';
import { SandboxError } from '../../runtime/runtime.js';
import { type Context, clientOf, findSandbox, hostOf } from '../context.js';
import { EXIT, type Output, printable } from '../output.js';
import { duration, header, integer } from '../parse.js';
import { tapLine } from '../tap-line.js';

interface CurlFlags {
  readonly name?: string;
  readonly from?: string;
  readonly method?: string;
  readonly header?: [string, string][];
  readonly data?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

/** `curl`, `tap`, `explain`. */
export function addRequests(program: Command, context: Context): void {
  program
    .command('curl')
    .description('one request from inside a workload, through its sidecar, and what happened to it')
    .argument('<url>', 'e.g. http://ratings:9080/ratings/0')
    .option('--from <workload>', 'workload to ask from (default: the first with a sidecar)')
    .option('-X, --method <method>', 'method')
    .option('-H, --header <field>', 'header, e.g. end-user=jason (repeatable)', header)
    .option('-d, --data <body>', 'body')
    .option('--timeout <time>', 'how long to wait', duration, 30_000)
    .option('--json', 'answer and trace as JSON')
    .option('--name <name>', 'which sandbox')
    .action((url: string, flags: CurlFlags) => curl(context, url, flags));
  program
    .command('tap')
    .description('requests as they happen, one line per hop')
    .option('--from <workload>', 'only from this caller')
    .option('--to <name>', 'only to this service or workload')
    .option('--status <code>', 'only this status', integer(0, 599))
    .option('--max <n>', 'end after n requests', integer(1, 1_000_000))
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action((flags: TapFlags) => tap(context, flags));
  program
    .command('timeline')
    .description('what sidecars did on their own: endpoints put aside and brought back, requests turned away')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (flags: { name?: string; output: string }) => {
      const timeline = await clientOf(findSandbox(context, flags.name)).call('timeline', {});
      if (flags.output === 'json') context.output.json(timeline);
      else printTimeline(timeline, context.output);
    });
  program
    .command('explain')
    .description('what happened to a request and why: every hop, attempt, encryption, verdict')
    .argument('[id]', 'request id, trace id or `last`', 'last')
    .option('--from <workload>', 'what would happen: to a request of this workload')
    .option('--to <host>', 'what would happen: for this service or host, e.g. reviews or reviews:9080')
    .option('--path <path>', 'what would happen: path and query', '/')
    .option('-X, --method <method>', 'what would happen: method', 'GET')
    .option('-H, --header <field>', 'what would happen: header, e.g. end-user=jason (repeatable)', header)
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (id: string, flags: ExplainFlags) => {
      const client = clientOf(findSandbox(context, flags.name));
      if ((flags.from === undefined) !== (flags.to === undefined))
        throw new SandboxError('a request that is only described needs --from and --to', [
          'mesh-sandbox explain --from productpage-v1 --to reviews --path /reviews/0',
        ]);
      const explanation =
        flags.from === undefined || flags.to === undefined
          ? await client.call('explain', { id })
          : await client.call('explainRequest', {
              from: flags.from,
              to: flags.to,
              path: flags.path,
              method: flags.method,
              headers: flags.header ?? [],
            });
      if (flags.output === 'json') context.output.json(explanation);
      else printExplanation(explanation, context.output);
    });
}

interface ExplainFlags {
  readonly name?: string;
  readonly output: string;
  readonly from?: string;
  readonly to?: string;
  readonly path: string;
  readonly method: string;
  readonly header?: [string, string][];
}

function printTimeline(timeline: readonly Incident[], output: Output): void {
  if (timeline.length === 0) output.say('nothing yet: no sidecar put an endpoint aside or turned requests away');
  for (const { at, reporter, text } of timeline) {
    const time = output.style('dim', new Date(at).toISOString().slice(11, 23));
    output.print(`${time} ${printable(reporter).padEnd(14)} ${printable(text)}`);
  }
}

interface TapFlags {
  readonly name?: string;
  readonly from?: string;
  readonly to?: string;
  readonly status?: number;
  readonly max?: number;
  readonly output: string;
}

async function tap(context: Context, flags: TapFlags): Promise<void> {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  let left = flags.max ?? Number.POSITIVE_INFINITY;
  let first = true;
  for await (const event of clientOf(findSandbox(context, flags.name)).events(controller.signal)) {
    if (event.type !== 'exchanges') continue;
    const fresh = first ? [] : event.exchanges.filter((exchange) => fits(exchange, flags));
    first = false;
    for (const exchange of fresh) {
      context.output.print(flags.output === 'json' ? JSON.stringify(exchange) : tapLine(exchange, context.output));
      if (--left === 0) return controller.abort();
    }
    if (event.dropped > 0) context.output.say(`(${event.dropped} more were counted, but not recorded one by one)`);
  }
}

function fits(exchange: Exchange, { from, to, status }: TapFlags): boolean {
  if (from !== undefined && exchange.source.workload !== from) return false;
  if (to !== undefined && exchange.destination.workload !== to && exchange.destination.service !== to) return false;
  return status === undefined || exchange.response.status === status;
}

interface ProbeResult {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly truncated: boolean;
  readonly error: string | null;
}

async function curl(context: Context, url: string, flags: CurlFlags): Promise<void> {
  const { output } = context;
  const state = findSandbox(context, flags.name);
  const client = clientOf(state);
  const workloads = (await client.call('workloads', {})).filter(({ role }) => role !== 'gateway');
  const from = flags.from ?? (workloads.find(({ role }) => role === 'sidecar') ?? workloads[0])?.name ?? '';
  const view = workloads.find(({ name, app }) => name === from || app === from);
  if (view === undefined)
    throw unknown(
      'workload',
      from,
      workloads.map(({ name }) => name),
    );
  const id = crypto.randomUUID();
  const given = flags.header ?? [];
  const headers: [string, string][] = [
    ...given,
    ['x-request-id', given.find(([name]) => name.toLowerCase() === 'x-request-id')?.[1] ?? id],
  ];
  const host = await hostOf(context, state);
  const request = {
    method: flags.method ?? (flags.data === undefined ? 'GET' : 'POST'),
    url: /^[a-z]+:\/\//.test(url) ? url : `http://${url}`,
    headers:
      flags.data === undefined
        ? headers
        : [...headers, ['content-length', String(Buffer.byteLength(flags.data))] as [string, string]],
    body: flags.data ?? null,
    timeoutMs: flags.timeout,
  };
  const { stdout, stderr } = await host.probe(view.name, request, view.listenPorts);
  const result = parseProbe(stdout, stderr);
  const exchanges = await recordsOf(context, state.name, headers[headers.length - 1]?.[1] ?? id);
  const explanation = explain(id, exchanges);
  if (flags.json === true) output.json({ ...result, explanation, exchanges });
  else printAnswer(result, explanation, output);
  if (result.error !== null || result.status >= 400) process.exitCode = EXIT.failed;
}

function parseProbe(stdout: string, stderr: string): ProbeResult {
  try {
    return JSON.parse(stdout) as ProbeResult;
  } catch (cause) {
    throw new SandboxError(
      `the request could not be sent from there: ${stderr.trim() || stdout.trim() || 'no output'}`,
      ['mesh-sandbox status'],
      { cause },
    );
  }
}

/** Records arrive a moment after the answer: looks until no more of them come. */
async function recordsOf(context: Context, name: string, id: string): Promise<readonly Exchange[]> {
  const client = clientOf(findSandbox(context, name));
  let seen: readonly Exchange[] = [];
  for (let looks = 0, quiet = 0; looks < 25 && quiet < 3; looks++) {
    await sleep(systemClock, 120);
    const found = await client.call('trace', { id }).then(
      (trace) => trace.exchanges,
      () => [],
    );
    quiet = found.length > 0 && found.length === seen.length ? quiet + 1 : 0;
    seen = found;
  }
  return seen;
}

function printAnswer(result: ProbeResult, explanation: Explanation, output: Output): void {
  if (result.error !== null) output.print(`${output.style('red', 'no answer')}: ${printable(result.error)}`);
  else {
    output.print(`HTTP/1.1 ${result.status}`);
    for (const [name, value] of result.headers) output.print(output.style('dim', printable(`${name}: ${value}`)));
    output.print('');
    for (const line of result.body.split('\n')) output.print(printable(line));
    if (result.truncated) output.say('(the rest of the body is not shown)');
  }
  output.print('');
  printExplanation(explanation, output);
}

export function printExplanation(explanation: Explanation, output: Output): void {
  output.print(output.style('bold', printable(explanation.summary)));
  for (const { depth, text, outcome } of explanation.steps) {
    const mark =
      outcome === 'ok'
        ? output.style('green', '✓')
        : outcome === 'warning'
          ? output.style('yellow', '!')
          : outcome === 'skipped'
            ? output.style('dim', '·')
            : output.style('red', '✗');
    output.print(`${'  '.repeat(depth + 1)}${mark} ${printable(text)}`);
  }
  if (explanation.verdict !== '')
    output.print(`${output.style('bold', 'whose fault:')} ${printable(explanation.verdict)}`);
}

function unknown(what: string, name: string, known: readonly string[]): SandboxError {
  const close = nearest(name, known);
  return new SandboxError(
    `unknown ${what} ${JSON.stringify(name)}${close === null ? '' : `; did you mean ${close}?`}`,
    [`there are: ${known.join(', ')}`],
  );
}
