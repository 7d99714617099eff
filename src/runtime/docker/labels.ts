import type { SandboxIdentity } from '../runtime.js';

/**
 * Labels of everything that we create. Both owner and sandbox must fit before anything is touched. Images have a label of
 * their own: containers inherit an image's labels, and somebody's `docker run` of our image must not look like ours.
 */
export const LABEL = {
  owner: 'dev.mesh-sandbox.owner',
  sandbox: 'dev.mesh-sandbox.sandbox',
  name: 'dev.mesh-sandbox.name',
  part: 'dev.mesh-sandbox.part',
  imageOwner: 'dev.mesh-sandbox.image-owner',
} as const;

/** Labels of one object; the Compose ones let `docker compose ls` and other tools group our containers. */
export function labelsOf(identity: SandboxIdentity, part: string): Record<string, string> {
  return {
    [LABEL.owner]: identity.owner,
    [LABEL.sandbox]: identity.id,
    [LABEL.name]: identity.name,
    [LABEL.part]: part,
    'com.docker.compose.project': `mesh-sandbox-${identity.name}`,
    'com.docker.compose.service': part.replaceAll('/', '-'),
    'com.docker.compose.oneoff': 'False',
    'com.docker.compose.container-number': '1',
  };
}

/** Filter for lists: the engine joins several labels with AND. */
export function filterOf(identity: Pick<SandboxIdentity, 'owner' | 'id'>): { label: string[] } {
  return { label: [`${LABEL.owner}=${identity.owner}`, `${LABEL.sandbox}=${identity.id}`] };
}

/** True when an object carries both labels of this sandbox. */
export function isOurs(
  labels: Readonly<Record<string, string>> | null | undefined,
  identity: Pick<SandboxIdentity, 'owner' | 'id'>,
): boolean {
  return labels?.[LABEL.owner] === identity.owner && labels[LABEL.sandbox] === identity.id;
}

export function objectName(identity: SandboxIdentity, part: string): string {
  return `mesh-${identity.name}-${identity.id}-${part.replaceAll('/', '-')}`;
}
