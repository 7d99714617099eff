import type Dockerode from 'dockerode';
import { DockerRuntime } from '../../src/runtime/docker/docker-runtime.js';
import { type Engine, findEngine } from '../../src/runtime/docker/endpoint.js';
import { LABEL } from '../../src/runtime/docker/labels.js';
import type { SandboxPlan } from '../../src/runtime/runtime.js';
import type { Stand } from './contract.js';

export const OWNER = 'owner-of-tests';
/** Test images have a name of their own, so that those of a real sandbox beside us stay as they are. */
const REPOSITORY = 'mesh-sandbox-test';

/** The engine of this machine, or the one at `dockerHost`. */
export async function testEngine(dockerHost: string | null = null): Promise<Engine> {
  const { engine, tried } = await findEngine({ dockerHost, environment: process.env });
  if (engine === null) throw new Error(`no engine: ${JSON.stringify(tried)}`);
  return engine;
}

export function testRuntime(engine: Engine, programs: string): DockerRuntime {
  return new DockerRuntime(engine, { programs, image: null, owner: OWNER, repository: REPOSITORY });
}

export function dockerOf({ runtime }: Stand): Dockerode {
  return (runtime as DockerRuntime).engine.docker;
}

/** Everything that the engine says about the containers of a sandbox, by part. */
export async function inspectAll(
  docker: Dockerode,
  { id }: Pick<SandboxPlan, 'id'>,
): Promise<Map<string, Dockerode.ContainerInspectInfo>> {
  const listed = await docker.listContainers({ all: true, filters: { label: [`${LABEL.sandbox}=${id}`] } });
  const all = await Promise.all(listed.map(({ Id }) => docker.getContainer(Id).inspect()));
  return new Map(all.map((container) => [container.Config.Labels[LABEL.part] ?? '', container]));
}

/** Runs a command in the network namespace of a workload's pod as root with NET_ADMIN, and returns what it prints. */
export async function inPod(stand: Stand, workload: string, argv: readonly string[]): Promise<string> {
  const docker = dockerOf(stand);
  const { Id: pause, Image } = (await inspectAll(docker, stand.plan)).get(`${workload}/pause`) ?? { Id: '', Image: '' };
  const container = await docker.createContainer({
    Image,
    User: '0:0',
    Entrypoint: [],
    Cmd: [...argv],
    Labels: { [LABEL.owner]: OWNER, [LABEL.sandbox]: stand.plan.id, [LABEL.part]: 'test' },
    HostConfig: { NetworkMode: `container:${pause}`, CapAdd: ['NET_ADMIN'] },
  });
  try {
    await container.start();
    await container.wait();
    const output = (await container.logs({ stdout: true, stderr: true })) as unknown as Buffer;
    return textOf(output);
  } finally {
    await container.remove({ force: true });
  }
}

/** Runs a command inside a running container of the sandbox. */
export async function execIn(stand: Stand, part: string, argv: readonly string[], user: string): Promise<string> {
  const docker = dockerOf(stand);
  const id = (await inspectAll(docker, stand.plan)).get(part)?.Id ?? '';
  const exec = await docker
    .getContainer(id)
    .exec({ Cmd: [...argv], User: user, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return textOf(Buffer.concat(chunks));
}

/** The engine frames output in pieces of 8 bytes of header and a text. */
function textOf(framed: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= framed.length; at += 8 + framed.readUInt32BE(at + 4))
    text += framed.subarray(at + 8, at + 8 + framed.readUInt32BE(at + 4)).toString('utf8');
  return text;
}
