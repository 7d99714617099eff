import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { UIDS } from '../../model/names.js';
import { systemClock } from '../../platform/clock.js';
import { IMAGE_NAME } from '../programs.js';
import { contentTag, fileEntry, hostEntries, programEntries } from './image-files.js';
import { LABEL } from './labels.js';
import { type TarEntry, tarBlocks, tarEnd } from './tar.js';

/** Public image that ours is built on, where it can be had. */
const PUBLIC_BASE = 'node:26-alpine';
/** A registry that does not answer by then is not there, ms. */
const PULL_PATIENCE_MS = 6_000;

export interface ImageParts {
  readonly docker: Dockerode;
  readonly programs: string;
  readonly owner: string;
  /** Named by the user; used as it is. */
  readonly wanted: string | null;
}

/**
 * Makes our image present, by the first way that works: one that the user named, ours from before, one built on a public
 * Node image, one assembled from this machine's own files. Returns what to say about it.
 */
export async function ensureImage(
  parts: ImageParts,
  progress: (text: string) => void,
): Promise<{ image: string; text: string }> {
  const { docker, wanted } = parts;
  if (wanted !== null) {
    if (!(await exists(docker, wanted))) await pull(docker, wanted, 120_000);
    return { image: wanted, text: `${wanted}, as asked` };
  }
  const { Architecture } = await docker.info();
  const programs = programEntries(parts.programs, nodeArchitecture(Architecture));
  for (const base of [PUBLIC_BASE, hostBase()]) {
    const tag = contentTag(programs, base);
    if (await exists(docker, tag)) return useAs(docker, tag, 'present already');
  }
  return (await buildOnPublic(parts, programs, progress)) ?? assemble(parts, programs, progress);
}

function hostBase(): string {
  return `host node ${process.version}`;
}

async function useAs(docker: Dockerode, tag: string, text: string): Promise<{ image: string; text: string }> {
  // Compose files name our image by this tag; it follows the newest programs.
  await docker.getImage(tag).tag({ repo: IMAGE_NAME.split(':')[0] as string, tag: 'local' });
  await removeOlder(docker, tag);
  return { image: tag, text: `${tag}, ${text}` };
}

/** Images of older programs take 150 MB each; those that nothing uses any more go. */
async function removeOlder(docker: Dockerode, current: string): Promise<void> {
  const [{ Id: id = '' } = {}, images] = await Promise.all([
    docker.getImage(current).inspect(),
    docker.listImages({ filters: { label: [LABEL.owner] } }),
  ]);
  const older = images.filter((image) => image.Id !== id && (image.RepoTags ?? []).every((tag) => tag.startsWith('mesh-sandbox:') || tag === '<none>:<none>'));
  // In use by another sandbox, or being removed by another command: then it stays.
  await Promise.all(older.map((image) => docker.getImage(image.Id).remove().catch(() => {})));
}

async function buildOnPublic(
  parts: ImageParts,
  programs: readonly TarEntry[],
  progress: (text: string) => void,
): Promise<{ image: string; text: string } | null> {
  const { docker, owner } = parts;
  try {
    if (!(await exists(docker, PUBLIC_BASE))) {
      progress(`pulling ${PUBLIC_BASE}`);
      await pull(docker, PUBLIC_BASE, PULL_PATIENCE_MS);
    }
    progress(`building on ${PUBLIC_BASE}`);
    const tag = contentTag(programs, PUBLIC_BASE);
    const context = [
      fileEntry('Dockerfile', Buffer.from(dockerfile(owner))),
      ...programs.map((entry) => ({ ...entry, path: `root/${entry.path}` })),
    ];
    const stream = await docker.buildImage(tarStream(context), { t: tag, networkmode: 'default' });
    await finished(docker, stream);
    if (!(await exists(docker, tag))) return null;
    return useAs(docker, tag, `built on ${PUBLIC_BASE}`);
  } catch (error) {
    progress(`not from ${PUBLIC_BASE}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
    return null;
  }
}

function dockerfile(owner: string): string {
  return [
    `FROM ${PUBLIC_BASE}`,
    'RUN apk add --no-cache iptables',
    `RUN mkdir -p /var/lib/mesh-sandbox && chown ${UIDS.controlPlane}:${UIDS.controlPlane} /var/lib/mesh-sandbox && chmod 700 /var/lib/mesh-sandbox`,
    'COPY root/ /',
    `LABEL ${LABEL.owner}=${owner}`,
    'WORKDIR /',
    'ENTRYPOINT []',
    '',
  ].join('\n');
}

async function assemble(
  parts: ImageParts,
  programs: readonly TarEntry[],
  progress: (text: string) => void,
): Promise<{ image: string; text: string }> {
  progress("assembling from this machine's own Node.js, nothing to download");
  const [repo, tag] = contentTag(programs, hostBase()).split(':') as [string, string];
  const changes = [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'WORKDIR /',
    `LABEL ${LABEL.owner}=${parts.owner}`,
  ];
  const stream = await parts.docker.importImage(tarStream([...hostEntries(), ...programs]), { repo, tag, changes });
  await finished(parts.docker, stream);
  return useAs(
    parts.docker,
    `${repo}:${tag}`,
    `assembled from this machine's own Node.js ${process.versions.node} and iptables, nothing downloaded`,
  );
}

function tarStream(entries: readonly TarEntry[]): Readable {
  return Readable.from(
    (function* () {
      const seen = new Set<string>();
      for (const entry of entries) {
        if (seen.has(entry.path)) continue;
        seen.add(entry.path);
        yield* tarBlocks(entry).filter((block) => block.length > 0);
      }
      yield tarEnd();
    })(),
    { objectMode: false },
  );
}

async function exists(docker: Dockerode, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

function pull(docker: Dockerode, image: string, patienceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = systemClock.after(patienceMs, () => reject(new Error('the registry does not answer')));
    docker
      .pull(image)
      .then((stream) => finished(docker, stream, () => timer.cancel()))
      .then(() => resolve(), reject)
      .finally(() => timer.cancel());
  });
}

/** Follows a progress stream to its end; rejects with the error that the engine writes into it. */
function finished(docker: Dockerode, stream: NodeJS.ReadableStream, onProgress: () => void = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error, output: { error?: string }[]) => {
        const failed = output?.find((line) => line.error !== undefined)?.error;
        if (error) reject(error);
        else if (failed !== undefined) reject(new Error(failed));
        else resolve();
      },
      onProgress,
    );
  });
}

function nodeArchitecture(engine: string): string {
  if (engine === 'x86_64' || engine === 'amd64') return 'x64';
  return engine === 'aarch64' || engine === 'arm64' ? 'arm64' : engine;
}
