import type { AppSpec } from '../model/app.js';
import type { AnswerFault, Fault } from '../model/fault.js';
import { nearest } from '../model/nearest.js';
import type { FaultInput } from '../protocol/fault-input.js';
import { ApiProblem } from './api/problem.js';

/** A fault as the user wrote it, checked against the app and completed. Throws {@link ApiProblem} (400) with what exists. */
export function faultFrom(
  input: FaultInput & { readonly name: string },
  app: AppSpec,
  existing: readonly Fault[],
  now: number,
): Fault {
  const targets = [...new Set([...app.services.map(({ name }) => name), ...app.workloads.map(({ name }) => name)])];
  mustExist('workload or service', input.to, targets);
  if (input.from !== undefined && !input.from.startsWith('spiffe://'))
    mustExist('caller', input.from, [...targets, 'gateway']);
  if (input.connection === undefined && outside(input.to, app))
    throw new ApiProblem(
      400,
      `${input.to} stands outside the mesh: no sidecar is there to act`,
      'faults of connections act at the caller: refused, dns-failure',
    );
  const { name } = input;
  if (existing.some((fault) => fault.name === name)) {
    throw new ApiProblem(409, `a fault named ${name} exists already`, `mesh-sandbox fault remove ${name}`);
  }
  const delay = input.delayMs === undefined ? null : { ms: input.delayMs, jitterMs: input.jitterMs ?? 0 };
  const ends = [input.abort !== undefined, input.reset === true, input.blackhole === true].filter(Boolean).length;
  if (ends > 1) throw new ApiProblem(400, 'a fault either aborts, resets or never answers', 'leave all but one out');
  const action = { connection: input.connection ?? null, delay, end: endOf(input), answer: answerOf(input) };
  if (action.connection !== null && (delay !== null || ends > 0 || action.answer !== null))
    throw new ApiProblem(400, 'without a connection there is nothing to delay or to answer', 'make two faults of it');
  if (ends > 0 && action.answer !== null)
    throw new ApiProblem(400, 'a fault that ends the request leaves no answer to change', 'make two faults of it');
  if (Object.values(action).every((part) => part === null))
    throw new ApiProblem(400, 'the fault does nothing', 'add --abort STATUS, --delay TIME, --reset or another kind');
  return {
    name,
    to: input.to,
    match: { from: input.from ?? null, headers: lowerNames(input.headers ?? {}), path: input.path ?? null },
    action,
    percent: input.percent ?? 100,
    first: input.first ?? null,
    every: input.every ?? null,
    until: input.forMs === undefined ? null : now + input.forMs,
    enabled: true,
  };
}

/** A workload without a sidecar, or a service all of whose workloads are. */
function outside(to: string, { workloads }: AppSpec): boolean {
  return workloads.filter(({ name, app }) => name === to || app === to).every(({ meshed }) => !meshed);
}

function endOf(input: FaultInput): Fault['action']['end'] {
  if (input.abort !== undefined) return { kind: 'abort', status: input.abort };
  if (input.blackhole === true) return { kind: 'blackhole' };
  return input.reset === true ? { kind: 'reset' } : null;
}

function answerOf(input: FaultInput): AnswerFault | null {
  const answer = {
    bytesPerSecond: input.bytesPerSecond ?? null,
    truncateAfter: input.truncateAfter ?? null,
    corrupt: input.corrupt ?? false,
    slowCloseMs: input.slowCloseMs ?? null,
  };
  return answer.corrupt || Object.values(answer).some((part) => typeof part === 'number') ? answer : null;
}

function lowerNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function mustExist(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const close = nearest(name, known);
  throw new ApiProblem(
    400,
    `unknown ${what} ${JSON.stringify(name)}${close === null ? '' : `; did you mean ${close}?`}`,
    `there are: ${known.join(', ')}`,
  );
}
