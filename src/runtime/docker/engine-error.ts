import { SandboxError } from '../runtime.js';

/** Codes of Node and the system that mean: nobody is at the other end of the engine's socket. */
const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOENT', 'EPIPE', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH']);

/** An error of the engine as something a person can act on. Everything that leaves `runtime/docker` passes here. */
export function engineError(error: unknown, doing: string): SandboxError {
  if (error instanceof SandboxError) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  const text = error instanceof Error ? error.message : String(error);
  if (statusCode === undefined && UNREACHABLE.has(code ?? '')) {
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
  if (/non-overlapping IPv4 address pool|all predefined address pools/i.test(text)) {
    return new SandboxError('Docker has no address range left for another network', ['docker network ls'], {
      cause: error,
    });
  }
  const port = takenPort(error);
  if (port !== null) return portTaken(port, null, error);
  const said = text.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
  return new SandboxError(
    `the engine refused (${doing}): ${said}${statusCode === undefined ? '' : ` [${statusCode}]`}`,
    [],
    { cause: error },
  );
}

/** The published port that an engine's error complains about; null for other errors. */
export function takenPort(error: unknown): number | null {
  const text = error instanceof Error ? error.message : String(error);
  const found =
    /(?:Bind for [^ ]+:(\d+) failed: port is already allocated|listen tcp4? [^ ]+:(\d+): bind: address already in use|failed to bind (?:host )?port[^\n]*?:(\d+)\b)/.exec(
      text,
    );
  const port = found?.[1] ?? found?.[2] ?? found?.[3];
  return port === undefined ? null : Number(port);
}

/** A port was free when it was looked at and is not any more; `holder` as people would call it. */
export function portTaken(port: number, holder: string | null, cause: unknown): SandboxError {
  return new SandboxError(
    `port ${port} was taken in the meantime${holder === null ? '' : ` by ${holder}`}`,
    ['mesh-sandbox up --port 0   (takes a free one)'],
    { cause },
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
  return [304, 404, 409].includes(statusOf(error));
}

/** True when it runs already, or has stopped already: what was wanted. */
export function isSoAlready(error: unknown): boolean {
  return statusOf(error) === 304;
}

/** True when the engine does not have it (any more). */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

function statusOf(error: unknown): number {
  return (error as { statusCode?: number }).statusCode ?? 0;
}
