import type { AppSpec } from '../model/app.js';
import type { Fault } from '../model/fault.js';
import { nearest } from '../model/nearest.js';
import type { FaultInput } from '../protocol/fault-input.js';
import { ApiProblem } from './api/problem.js';

/** A fault as the user wrote it, checked against the app and completed. Throws {@link ApiProblem} (400) with what exists. */
export function faultFrom(input: FaultInput, app: AppSpec, existing: readonly Fault[]): Fault {
  const targets = [...new Set([...app.services.map(({ name }) => name), ...app.workloads.map(({ name }) => name)])];
  mustExist('workload or service', input.to, targets);
  if (input.from !== undefined && !input.from.startsWith('spiffe://'))
    mustExist('caller', input.from, [...targets, 'gateway']);
  const name = input.name ?? freeName(existing);
  if (existing.some((fault) => fault.name === name)) {
    throw new ApiProblem(409, `a fault named ${name} exists already`, `mesh-sandbox fault remove ${name}`);
  }
  const delay = input.delayMs === undefined ? null : { ms: input.delayMs, jitterMs: input.jitterMs ?? 0 };
  if (input.abort !== undefined && input.reset === true)
    throw new ApiProblem(400, 'a fault either aborts or resets', 'leave one of them out');
  if (delay === null && input.abort === undefined && input.reset !== true) {
    throw new ApiProblem(400, 'the fault does nothing', 'add --abort STATUS, --delay TIME or --reset');
  }
  return {
    name,
    to: input.to,
    match: { from: input.from ?? null, headers: lowerNames(input.headers ?? {}), path: input.path ?? null },
    action: { delay, end: endOf(input) },
    percent: input.percent ?? 100,
    first: input.first ?? null,
    enabled: true,
  };
}

function endOf(input: FaultInput): Fault['action']['end'] {
  if (input.abort !== undefined) return { kind: 'abort', status: input.abort };
  return input.reset === true ? { kind: 'reset' } : null;
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

function freeName(existing: readonly Fault[]): string {
  for (let n = 1; ; n++) if (!existing.some((fault) => fault.name === `f${n}`)) return `f${n}`;
}
