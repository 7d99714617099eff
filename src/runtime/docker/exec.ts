import { PassThrough } from 'node:stream';
import type Dockerode from 'dockerode';
import type { ExecResult } from '../runtime.js';

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
  stream.once('close', () => {
    stdout.end();
    stderr.end();
  });
  const [out, err] = await Promise.all([textOf(stdout), textOf(stderr)]);
  const { ExitCode } = await exec.inspect();
  return { code: ExitCode ?? 1, stdout: out, stderr: err };
}

async function textOf(stream: PassThrough): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += chunk as string;
  return text;
}
