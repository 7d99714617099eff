import type Dockerode from 'dockerode';

/**
 * Writes the bootstrap into the container's standard input before it starts; it stands nowhere else. The engine keeps the
 * text until the program reads it, and closes the input after it (`StdinOnce`).
 */
export async function handOver(container: Dockerode.Container, bootstrap: string): Promise<void> {
  const stream = await container.attach({ stream: true, stdin: true, stdout: false, stderr: false, hijack: true });
  await new Promise<void>((resolve, reject) => {
    // Stays: the connection lives as long as the container and may break with the engine later on.
    stream.on('error', reject);
    stream.end(`${bootstrap}\n`, () => resolve());
  });
}
