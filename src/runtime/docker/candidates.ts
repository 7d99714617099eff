import { createHash } from 'node:crypto';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A place where an engine may be, and why we look there. */
export interface Candidate {
  readonly host: string;
  readonly why: string;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | null;
  /** What is wrong with it before anybody looks there; null = nothing. */
  readonly problem: string | null;
}

export interface Surroundings {
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly read: (path: string) => Buffer | null;
}

interface Wish {
  readonly dockerHost: string | null;
  readonly environment: Environment;
}

/**
 * The places to look, best first: what the user named (`--docker-host`, DOCKER_HOST, DOCKER_CONTEXT, the current context,
 * in this order) and then nothing else; without a name, the sockets of every engine we know. Pure but for `read`.
 */
export function candidates({ dockerHost, environment }: Wish, around: Surroundings): Candidate[] {
  const tls = tlsFromEnvironment(environment, around);
  if (dockerHost !== null) return [{ host: dockerHost, why: '--docker-host', tls, problem: null }];
  const { DOCKER_HOST: host, DOCKER_CONTEXT: context, DOCKER_CONFIG: folder } = environment;
  if (host) return [{ host, why: 'DOCKER_HOST', tls, problem: null }];
  const config = folder || join(around.home, '.docker');
  const [name, why] = context
    ? [context, 'DOCKER_CONTEXT']
    : [currentContext(around.read(join(config, 'config.json'))), 'the current Docker context'];
  if (name !== 'default') return [contextCandidate(name, why, config, around)];
  return knownSockets(environment, around);
}

function knownSockets(environment: Environment, { home, platform }: Surroundings): Candidate[] {
  const run = environment['XDG_RUNTIME_DIR'];
  const sockets: [string, string][] = [
    ['/var/run/docker.sock', 'the default socket'],
    [join(home, '.docker/run/docker.sock'), 'Docker Desktop'],
    [join(home, '.docker/desktop/docker.sock'), 'Docker Desktop for Linux'],
    [join(home, '.colima/default/docker.sock'), 'Colima'],
    [join(home, '.orbstack/run/docker.sock'), 'OrbStack'],
    [join(home, '.rd/docker.sock'), 'Rancher Desktop'],
    ...(run ? ([[join(run, 'docker.sock'), 'rootless Docker']] as [string, string][]) : []),
    ...(run ? ([[join(run, 'podman/podman.sock'), 'Podman']] as [string, string][]) : []),
    ['/run/podman/podman.sock', 'Podman'],
  ];
  if (platform === 'win32')
    return [{ host: 'npipe:////./pipe/docker_engine', why: 'Docker Desktop', tls: null, problem: null }];
  return sockets.map(([path, why]) => ({ host: `unix://${path}`, why, tls: null, problem: null }));
}

function currentContext(config: Buffer | null): string {
  return jsonOf<{ currentContext?: string }>(config)?.currentContext || 'default';
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
}

/** A context's endpoint, from where the docker command stores it: a folder named after the SHA-256 of its name. */
function contextCandidate(name: string, why: string, config: string, { read }: Surroundings): Candidate {
  const id = createHash('sha256').update(name).digest('hex');
  const meta = join(config, 'contexts/meta', id, 'meta.json');
  const host = jsonOf<ContextMeta>(read(meta))?.Endpoints?.docker?.Host;
  const tls = tlsIn(join(config, 'contexts/tls', id, 'docker'), read);
  const problem = host ? null : `there is no such context, or it has no Docker endpoint (${meta})`;
  return { host: host || `context ${name}`, why: `${why} ${name}`, tls, problem };
}

function tlsFromEnvironment(environment: Environment, { read }: Surroundings): Candidate['tls'] {
  const folder = environment['DOCKER_CERT_PATH'];
  return environment['DOCKER_TLS_VERIFY'] && folder ? (tlsIn(folder, read) ?? {}) : null;
}

function tlsIn(folder: string, read: Surroundings['read']): Candidate['tls'] {
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => read(join(folder, file)));
  return ca || cert ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : null;
}

function jsonOf<T>(content: Buffer | null): T | null {
  try {
    return content === null ? null : (JSON.parse(content.toString('utf8')) as T);
  } catch {
    return null;
  }
}
