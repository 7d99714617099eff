import type { Engine } from './docker/endpoint.js';
import { freePort } from './ports.js';
import { programsFolder } from './programs.js';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly text: string;
  /** What to do; empty when there is nothing to do. */
  readonly hint: string;
}

export interface DiagnoseInput {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly owner: string;
  /** Ids of sandboxes that are remembered; others of this owner are leftovers. */
  readonly known: readonly string[];
}

/** First patched release of each line (advisories of 2026-07); older ones have holes that a proxy meets. */
export const PATCHED_NODE = new Map<number, readonly [number, number, number]>([
  [22, [22, 23, 2]],
  [24, [24, 18, 1]],
  [26, [26, 5, 1]],
]);

/** Everything that could keep a sandbox from running well here, found out one by one. Never throws. */
export async function diagnose(input: DiagnoseInput): Promise<Finding[]> {
  return [nodeFinding(process.versions.node), programsFinding(), ...(await engineFindings(input)), await portFinding()];
}

/** What to say about a Node.js version on the host. */
export function nodeFinding(version: string): Finding {
  const parts = version.split('.').map(Number) as [number, number, number];
  const floor = PATCHED_NODE.get(parts[0]);
  const check = 'Node.js';
  if (floor !== undefined && compare(parts, floor) >= 0) return { check, state: 'ok', text: version, hint: '' };
  const text =
    floor === undefined && parts[0] < 26
      ? `${version} gets no security fixes any more; the sandbox works`
      : `${version} is older than ${(floor ?? [26, 5, 1]).join('.')}, which closes known holes; the sandbox works`;
  if (floor === undefined && parts[0] > 26) return { check, state: 'ok', text: version, hint: '' };
  return {
    check,
    state: 'warning',
    text,
    hint: `install one of ${[...PATCHED_NODE.values()].map((v) => v.join('.')).join(', ')} or later`,
  };
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}

function programsFinding(): Finding {
  try {
    programsFolder();
    return { check: 'programs', state: 'ok', text: 'built', hint: '' };
  } catch (error) {
    return { check: 'programs', state: 'failed', text: (error as Error).message, hint: 'npm run build' };
  }
}

async function engineFindings({ environment, owner, known }: DiagnoseInput): Promise<Finding[]> {
  const { findEngine } = await import('./docker/endpoint.js');
  const { engine, tried } = await findEngine({ dockerHost: null, environment });
  if (engine === null) {
    const failures = tried.map(({ where, problem }) => `${where}: ${problem}`);
    const text = `no engine answers (${failures.join('; ')})`;
    return [{ check: 'Docker', state: 'warning', text, hint: 'start Docker, or use --runtime local' }];
  }
  const text = `Engine ${engine.version}, API ${engine.apiVersion}, at ${engine.host} (${engine.why})`;
  const findings: Finding[] = [{ check: 'Docker', state: 'ok', text, hint: '' }];
  try {
    return [
      ...findings,
      ...publishFinding(engine.version),
      await imageFinding(engine.docker),
      await leftoversFinding(engine, owner, known),
    ];
  } catch (error) {
    return [...findings, { check: 'Docker', state: 'failed', text: (error as Error).message, hint: '' }];
  }
}

/** Engines before 28 let the local network reach what is published on loopback (moby 45610). */
function publishFinding(version: string): Finding[] {
  if (Number(version.split('.')[0]) >= 28) return [];
  return [
    {
      check: 'Docker network',
      state: 'warning',
      text: `Engine ${version} lets neighbours on the same network segment reach ports published on 127.0.0.1`,
      hint: 'the API asks for a token anyway; Engine 28 closes it',
    },
  ];
}

async function imageFinding(docker: Engine['docker']): Promise<Finding> {
  const { imageState } = await import('./docker/image.js');
  const text = (await imageState(docker)) ?? 'not made yet; the first `mesh-sandbox up` makes it';
  return { check: 'image', state: 'ok', text, hint: '' };
}

async function leftoversFinding(engine: Engine, owner: string, known: readonly string[]): Promise<Finding> {
  const { DockerRuntime } = await import('./docker/docker-runtime.js');
  const left = (await new DockerRuntime(engine, { programs: '', image: null }).find(owner)).filter(
    ({ id }) => !known.includes(id),
  );
  if (left.length === 0) return { check: 'leftovers', state: 'ok', text: 'none', hint: '' };
  const text = `of ${left.map(({ name }) => name).join(', ')}`;
  return { check: 'leftovers', state: 'warning', text, hint: 'mesh-sandbox down --all' };
}

async function portFinding(): Promise<Finding> {
  const port = await freePort();
  return { check: 'loopback', state: 'ok', text: `ports on 127.0.0.1 can be bound (${port})`, hint: '' };
}
