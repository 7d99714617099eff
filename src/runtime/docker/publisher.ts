import type Dockerode from 'dockerode';

/** Which running container publishes a port of this machine, for people: `container web-1 (project shop)`; null when none does. */
export async function publisherOf(docker: Dockerode, port: number): Promise<string | null> {
  const containers = await docker.listContainers();
  const holder = containers.find(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === port));
  if (holder === undefined) return null;
  const project = holder.Labels['com.docker.compose.project'];
  const name = holder.Names[0]?.replace(/^\//, '') ?? holder.Id.slice(0, 12);
  return `container ${name}${project === undefined ? '' : ` (project ${project})`}`;
}
