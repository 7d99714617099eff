import { SandboxError } from '../runtime.js';

/** An error of the engine as something a person can act on. Everything that leaves `runtime/docker` passes here. */
export function engineError(error: unknown, doing: string): SandboxError {
  if (error instanceof SandboxError) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  const text = error instanceof Error ? error.message : String(error);
  if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EPIPE' || code === 'ECONNRESET') {
    return new SandboxError(
      `Docker stopped answering while ${doing}`,
      ['start it again, then: mesh-sandbox down', 'mesh-sandbox doctor'],
      { cause: error },
    );
  }
  if (/no space left/i.test(text)) {
    return new SandboxError(`the disk is full (${doing})`, ['docker system df   shows what takes the space'], {
      cause: error,
    });
  }
  const port =
    /(?:Bind for [^:]+:(\d+) failed: port is already allocated|listen tcp4? [^:]+:(\d+): bind: address already in use)/.exec(
      text,
    );
  if (port) {
    return new SandboxError(`port ${port[1] ?? port[2]} was taken in the meantime`, ['mesh-sandbox up --port 0'], {
      cause: error,
    });
  }
  const said = text.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
  return new SandboxError(
    `the engine refused (${doing}): ${said}${statusCode === undefined ? '' : ` [${statusCode}]`}`,
    [],
    { cause: error },
  );
}

/** Runs something against the engine; its errors come out as SandboxError. */
export async function withEngine<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw engineError(error, doing);
  }
}

/** True for the answers that mean "it is gone" or "it is so already". */
export function isGone(error: unknown): boolean {
  const { statusCode } = error as { statusCode?: number };
  return statusCode === 404 || statusCode === 304 || statusCode === 409;
}
