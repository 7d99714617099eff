import { PassThrough } from 'node:stream';
import type Dockerode from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import { sleep, systemClock } from '../../platform/clock.js';
import type { ExecResult } from '../runtime.js';
import { logText } from './logs.js';

/** The engine may close the output a moment before it knows the exit code; it is asked this often, every 10 ms. */
const EXIT_LOOKS = 200;

/** Runs a command in a container as `user` and collects what it prints. */
export async function runInside(
  docker: Dockerode,
  container: Dockerode.Container,
  argv: readonly string[],
  user: string,
): Promise<ExecResult> {
  const exec = await container.exec({ Cmd: [...argv], User: user, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.once('error', (error: Error) => stdout.destroy(error));
  stream.once('close', () => {
    stdout.end();
    stderr.end();
  });
  const [out, err] = await Promise.all([textOf(stdout), textOf(stderr)]);
  return { code: await exitCodeOf(exec), stdout: out, stderr: err };
}

/** Runs a program in a container of its own until it ends, collects what it prints, and removes the container. */
export async function runAlone(docker: Dockerode, spec: ContainerCreateOptions): Promise<ExecResult> {
  const container = await docker.createContainer(spec);
  try {
    await container.start();
    const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
    const [stdout, stderr] = await Promise.all([logText(container, 'stdout'), logText(container, 'stderr')]);
    return { code, stdout, stderr };
  } finally {
    await container.remove({ force: true });
  }
}

async function exitCodeOf(exec: Dockerode.Exec): Promise<number> {
  for (let look = 0; look < EXIT_LOOKS; look++) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running) return ExitCode ?? 1;
    await sleep(systemClock, 10);
  }
  return 1;
}

async function textOf(stream: PassThrough): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += chunk as string;
  return text;
}
