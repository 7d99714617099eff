import { homedir } from 'node:os';
import type Dockerode from 'dockerode';
import { systemClock } from '../../platform/clock.js';
import { type Candidate, candidates, type Environment } from './candidates.js';
import { readOptional, stateOfSocket } from './socket-file.js';

/** Oldest API that is tested: Engine 20.10. */
export const MIN_API = '1.41';
const PING_MS = 2_000;

export interface Engine {
  readonly docker: Dockerode;
  readonly host: string;
  readonly why: string;
  readonly version: string;
  /** `1.41`; compare with `isOlder`, not as a number. */
  readonly apiVersion: string;
}

export interface Search {
  readonly engine: Engine | null;
  /** Every place that was tried in vain. */
  readonly tried: readonly { readonly where: string; readonly problem: string }[];
}

export interface SearchInput {
  readonly dockerHost: string | null;
  readonly environment: Environment;
}

/** What the search asks of the machine; tests give their own. */
export interface Machine {
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** Content of a file, or null when it cannot be read. */
  readonly read: (path: string) => Buffer | null;
  /** Why a socket file cannot be used, or null. */
  readonly socketProblem: (path: string) => string | null;
  /** What answers at the candidate, or rejects. */
  readonly ping: (candidate: Candidate) => Promise<{ docker: Dockerode; version: string; apiVersion: string }>;
}

const thisMachine: Machine = {
  home: homedir(),
  platform: process.platform,
  read: readOptional,
  socketProblem: stateOfSocket,
  ping,
};

/**
 * Looks for an engine that answers, in the order in which the docker command looks, and then where desktops put theirs.
 * A place that the user named is the only one tried. Never rejects: `tried` says what was wrong where.
 */
export async function findEngine(input: SearchInput, machine: Machine = thisMachine): Promise<Search> {
  const tried: { where: string; problem: string }[] = [];
  for (const candidate of candidates(input, machine)) {
    const answer = precheck(candidate, machine) ?? (await ask(candidate, machine));
    if (typeof answer !== 'string') return { engine: answer, tried };
    tried.push({ where: `${candidate.host} (${candidate.why})`, problem: answer });
  }
  return { engine: null, tried };
}

function precheck({ host, problem }: Candidate, { socketProblem }: Machine): string | null {
  if (problem !== null) return problem;
  if (host.startsWith('unix://')) return socketProblem(host.slice('unix://'.length));
  if (/^npipe:\/\//.test(host)) return null;
  const named = /^(tcp|http|https|ssh):\/\//.test(host) && URL.canParse(host) && new URL(host).hostname !== '';
  return named ? null : 'is not an address of an engine';
}

/** The engine, or why it is none. */
async function ask(candidate: Candidate, machine: Machine): Promise<Engine | string> {
  try {
    const answer = await within(machine.ping(candidate), PING_MS);
    if (isOlder(answer.apiVersion, MIN_API))
      return `its API ${answer.apiVersion} is too old; ${MIN_API} (Engine 20.10) is needed`;
    return { ...answer, host: candidate.host, why: candidate.why };
  } catch (error) {
    return explainProblem(error);
  }
}

async function ping(candidate: Candidate) {
  const { default: Docker } = await import('dockerode');
  const docker = new Docker(optionsOf(candidate));
  const { Version: version, ApiVersion: apiVersion } = await docker.version();
  return { docker, version, apiVersion };
}

/** True when API version `a` (`1.9`) is below `b` (`1.41`). */
export function isOlder(a: string, b: string): boolean {
  const [[majorA = 0, minorA = 0], [majorB = 0, minorB = 0]] = [a.split('.').map(Number), b.split('.').map(Number)];
  return majorA !== majorB ? majorA < majorB : minorA < minorB;
}

function explainProblem(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
      return 'no permission (is your user in the group docker?)';
    case 'ECONNREFUSED':
      return 'refused: the engine does not run';
    case 'ENOENT':
      return 'there is no such socket';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** Dockerode's options for a host as the docker command writes it. */
export function optionsOf({ host, tls }: Pick<Candidate, 'host' | 'tls'>): Dockerode.DockerOptions {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (host.startsWith('npipe://')) return { socketPath: host.slice('npipe://'.length) };
  const url = new URL(host);
  if (url.protocol === 'ssh:')
    return { protocol: 'ssh', host: url.hostname, port: Number(url.port || 22), username: url.username };
  const protocol = tls !== null || url.protocol === 'https:' ? 'https' : 'http';
  return { protocol, host: url.hostname, port: Number(url.port || (protocol === 'https' ? 2376 : 2375)), ...tls };
}

function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = systemClock.after(ms, () => reject(new Error(`no answer within ${ms / 1000} s`)));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
