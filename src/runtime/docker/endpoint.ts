import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { systemClock } from '../../platform/clock.js';

/** Oldest API that is tested: Engine 20.10. */
export const MIN_API = 1.41;
const PING_MS = 2_000;

/** A place where an engine may be, and why we look there. */
export interface Candidate {
  readonly host: string;
  readonly why: string;
  /** The user named it: if it does not answer, no other is tried. */
  readonly named: boolean;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | null;
}

export interface Engine {
  readonly docker: Dockerode;
  readonly host: string;
  readonly why: string;
  readonly version: string;
  readonly apiVersion: number;
}

export interface Search {
  readonly engine: Engine | null;
  /** Every place that was tried in vain. */
  readonly tried: readonly { readonly where: string; readonly problem: string }[];
}

export interface SearchInput {
  readonly dockerHost: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Looks for an engine that answers, in the order in which the docker command looks, and then where desktops put theirs. */
export async function findEngine(input: SearchInput): Promise<Search> {
  const tried: { where: string; problem: string }[] = [];
  for (const candidate of candidates(input, homedir(), readOptional)) {
    const problem = precheck(candidate);
    const answer = problem ?? (await ask(candidate));
    if (typeof answer !== 'string') return { engine: answer, tried };
    tried.push({ where: `${candidate.host} (${candidate.why})`, problem: answer });
    if (candidate.named) break;
  }
  return { engine: null, tried };
}

type ReadFile = (path: string) => Buffer | null;

function readOptional(path: string): Buffer | null {
  return existsSync(path) ? readFileSync(path) : null;
}

/** The places to look, best first. Pure but for `read`. */
export function candidates({ dockerHost, environment }: SearchInput, home: string, read: ReadFile): Candidate[] {
  const named = namedCandidate(dockerHost, environment, home, read);
  if (named !== null) return [named];
  const run = environment['XDG_RUNTIME_DIR'];
  const sockets: [string, string][] = [
    ['/var/run/docker.sock', 'the default socket'],
    [join(home, '.docker/run/docker.sock'), 'Docker Desktop'],
    [join(home, '.docker/desktop/docker.sock'), 'Docker Desktop for Linux'],
    [join(home, '.colima/default/docker.sock'), 'Colima'],
    [join(home, '.orbstack/run/docker.sock'), 'OrbStack'],
    [join(home, '.rd/docker.sock'), 'Rancher Desktop'],
    ...(run
      ? ([
          [join(run, 'docker.sock'), 'rootless Docker'],
          [join(run, 'podman/podman.sock'), 'Podman'],
        ] as [string, string][])
      : []),
    ['/run/podman/podman.sock', 'Podman'],
  ];
  return sockets.map(([path, why]) => ({ host: `unix://${path}`, why, named: false, tls: null }));
}

function namedCandidate(
  dockerHost: string | null,
  environment: SearchInput['environment'],
  home: string,
  read: ReadFile,
): Candidate | null {
  if (dockerHost !== null)
    return { host: dockerHost, why: '--docker-host', named: true, tls: tlsFromEnvironment(environment, read) };
  const { DOCKER_HOST: host, DOCKER_CONTEXT: context } = environment;
  if (host) return { host, why: 'DOCKER_HOST', named: true, tls: tlsFromEnvironment(environment, read) };
  const config = join(environment['DOCKER_CONFIG'] || join(home, '.docker'));
  if (context) return contextCandidate(context, 'DOCKER_CONTEXT', config, read);
  const current = currentContext(read(join(config, 'config.json')));
  return current === null ? null : contextCandidate(current, 'the current Docker context', config, read);
}

function currentContext(config: Buffer | null): string | null {
  try {
    const { currentContext: name } = JSON.parse(config?.toString('utf8') ?? '{}') as { currentContext?: string };
    return name && name !== 'default' ? name : null;
  } catch {
    return null;
  }
}

/** A context's endpoint, from where the docker command stores it: a folder named after the SHA-256 of its name. */
function contextCandidate(name: string, why: string, config: string, read: ReadFile): Candidate | null {
  if (name === 'default') return null;
  const id = createHash('sha256').update(name).digest('hex');
  const meta = read(join(config, 'contexts/meta', id, 'meta.json'));
  const host = meta === null ? '' : ((JSON.parse(meta.toString('utf8')) as ContextMeta).Endpoints?.docker?.Host ?? '');
  const folder = join(config, 'contexts/tls', id, 'docker');
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => read(join(folder, file)));
  const tls = ca || cert ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : null;
  return { host: host || `context ${name}`, why: `${why} ${name}`, named: true, tls };
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
}

function tlsFromEnvironment(environment: SearchInput['environment'], read: ReadFile): Candidate['tls'] {
  const folder = environment['DOCKER_CERT_PATH'];
  if (!environment['DOCKER_TLS_VERIFY'] || !folder) return null;
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => read(join(folder, file)));
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function precheck({ host }: Candidate): string | null {
  if (!/^(unix|tcp|http|https|npipe|ssh):\/\//.test(host)) return 'is not known, or has no Docker endpoint';
  if (host.startsWith('unix://') && !existsSync(host.slice('unix://'.length))) return 'there is no such socket';
  return null;
}

/** The engine, or why it is none. */
async function ask(candidate: Candidate): Promise<Engine | string> {
  const { default: Docker } = await import('dockerode');
  const docker = new Docker(optionsOf(candidate));
  try {
    const version = await within(docker.version(), PING_MS);
    const apiVersion = Number(version.ApiVersion);
    if (apiVersion < MIN_API) return `its API ${version.ApiVersion} is too old; ${MIN_API} (Engine 20.10) is needed`;
    return { docker, host: candidate.host, why: candidate.why, version: version.Version, apiVersion };
  } catch (error) {
    return explainProblem(error);
  }
}

function explainProblem(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES') return 'no permission (is your user in the group docker?)';
  if (code === 'ECONNREFUSED') return 'refused: the engine does not run';
  return error instanceof Error ? error.message : String(error);
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
