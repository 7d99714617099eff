import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { UIDS } from '../../model/names.js';
import { IMAGE_NAME } from '../programs.js';
import { SandboxError } from '../runtime.js';
import { contentTag, fileEntry, hostEntries, programEntries } from './image-files.js';
import { LABEL } from './labels.js';
import { ensurePulled, hasImage, patiently, pullImage, streamFinished } from './pull.js';
import { type TarEntry, tarBlocks, tarEnd } from './tar.js';

/** Public image that ours is built on, where it can be had. */
const PUBLIC_BASE = 'node:26-alpine';
/** A registry that does not answer by then is not there, ms. */
const PULL_PATIENCE_MS = 6_000;
/** A build that says nothing for so long hangs at a package server that is not there, ms. */
const BUILD_PATIENCE_MS = 15_000;

export interface ImageParts {
  readonly docker: Dockerode;
  readonly programs: string;
  readonly owner: string;
  /** Name of the image without tag, `mesh-sandbox`. */
  readonly repository: string;
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
    await ensurePulled(docker, wanted);
    return { image: wanted, text: `${wanted}, as asked` };
  }
  const { Architecture } = await docker.info();
  const architecture = nodeArchitecture(Architecture);
  const programs = programEntries(parts.programs, architecture);
  for (const base of [PUBLIC_BASE, hostBase()]) {
    const tag = tagOf(parts, programs, base);
    if (await hasImage(docker, tag)) return useAs(parts, tag, 'present already');
  }
  const built = await buildOnPublic(parts, programs, progress);
  if (built !== null) return built;
  checkSameMachine(architecture);
  return assemble(parts, programs, progress);
}

function hostBase(): string {
  return `host node ${process.version}`;
}

/** One line about the image that a sandbox would use, for `doctor`; null when none was made yet. */
export async function imageState(docker: Dockerode): Promise<string | null> {
  if (!(await hasImage(docker, IMAGE_NAME))) return null;
  const { Size, Created } = await docker.getImage(IMAGE_NAME).inspect();
  return `${IMAGE_NAME}, ${Math.round(Size / 1e6)} MB, made ${Created.slice(0, 16).replace('T', ' ')} UTC`;
}

/** By content alone, so that several installations on one engine share an image; its label says who made it and may remove it. */
function tagOf({ repository }: ImageParts, programs: readonly TarEntry[], base: string): string {
  return `${repository}:${contentTag(programs, base)}`;
}

/** This machine's files fit an engine of the same system and processor only. */
function checkSameMachine(architecture: string): void {
  if (process.platform === 'linux' && process.arch === architecture) return;
  throw new SandboxError(
    `${PUBLIC_BASE} cannot be had, and the engine (Linux, ${architecture}) cannot run the files of this machine (${process.platform}, ${process.arch})`,
    [`docker pull ${PUBLIC_BASE}   (with a network)`, 'mesh-sandbox up --runtime local'],
  );
}

async function useAs(parts: ImageParts, tag: string, text: string): Promise<{ image: string; text: string }> {
  // Compose files name our image by this tag; it follows the newest programs.
  await parts.docker.getImage(tag).tag({ repo: parts.repository, tag: 'local' });
  await removeOlder(parts, tag);
  return { image: tag, text: `${tag}, ${text}` };
}

/** Images of older programs take 150 MB each; those of this installation that nothing uses any more go. */
async function removeOlder({ docker, owner, repository }: ImageParts, current: string): Promise<void> {
  const [{ Id: id = '' } = {}, images] = await Promise.all([
    docker.getImage(current).inspect(),
    docker.listImages({ filters: { label: [`${LABEL.imageOwner}=${owner}`] } }),
  ]);
  const older = images.filter(
    (image) =>
      image.Id !== id &&
      (image.RepoTags ?? []).every((tag) => tag.startsWith(`${repository}:`) || tag === '<none>:<none>'),
  );
  // In use by another sandbox, or being removed by another command: then it stays.
  await Promise.all(
    older.map((image) =>
      docker
        .getImage(image.Id)
        .remove()
        .catch(() => {}),
    ),
  );
}

async function buildOnPublic(
  parts: ImageParts,
  programs: readonly TarEntry[],
  progress: (text: string) => void,
): Promise<{ image: string; text: string } | null> {
  const { docker, owner } = parts;
  try {
    if (!(await hasImage(docker, PUBLIC_BASE))) {
      progress(`pulling ${PUBLIC_BASE}`);
      await pullImage(docker, PUBLIC_BASE, PULL_PATIENCE_MS);
    }
    progress(`building on ${PUBLIC_BASE}`);
    const tag = tagOf(parts, programs, PUBLIC_BASE);
    const context = [
      fileEntry('Dockerfile', Buffer.from(dockerfile(owner))),
      ...programs.map((entry) => ({ ...entry, path: `root/${entry.path}` })),
    ];
    await patiently(BUILD_PATIENCE_MS, 'the build makes no progress', async (alive, abortSignal) => {
      const stream = await docker.buildImage(tarStream(context), { t: tag, networkmode: 'default', abortSignal });
      await streamFinished(docker, stream, alive);
    });
    if (!(await hasImage(docker, tag))) return null;
    return await useAs(parts, tag, `built on ${PUBLIC_BASE}`);
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
    `LABEL ${LABEL.imageOwner}=${owner}`,
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
  const [repo, tag] = tagOf(parts, programs, hostBase()).split(':') as [string, string];
  const changes = [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'WORKDIR /',
    `LABEL ${LABEL.imageOwner}=${parts.owner}`,
  ];
  const stream = await parts.docker.importImage(tarStream([...hostEntries(), ...programs]), { repo, tag, changes });
  await streamFinished(parts.docker, stream);
  return useAs(
    parts,
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

function nodeArchitecture(engine: string): string {
  if (engine === 'x86_64' || engine === 'amd64') return 'x64';
  return engine === 'aarch64' || engine === 'arm64' ? 'arm64' : engine;
}
