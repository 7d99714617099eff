import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Who may import whom, folder by folder (src/README.md shows the same table with reasons). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  platform: ['model'],
  yaml: ['model'],
  matching: ['model'],
  simulate: ['matching', 'model'],
  resources: ['yaml', 'model'],
  compose: ['yaml', 'model'],
  compiler: ['model'],
  protocol: ['model'],
  'policy-test': ['compiler', 'simulate', 'matching', 'yaml', 'model'],
  workload: ['protocol', 'platform', 'model'],
  proxy: ['matching', 'workload', 'protocol', 'platform', 'model'],
  load: ['workload', 'protocol', 'platform', 'model'],
  'control-plane': ['compiler', 'simulate', 'resources', 'yaml', 'protocol', 'platform', 'model'],
  runtime: ['protocol', 'platform', 'model'],
  client: ['protocol', 'platform', 'model'],
  keeper: ['runtime', 'client', 'protocol', 'platform', 'model'],
  sandbox: ['keeper', 'runtime', 'resources', 'compose', 'yaml', 'client', 'protocol', 'platform', 'model'],
  lessons: ['client', 'sandbox', 'model'],
  testcontainers: ['client', 'sandbox', 'model'],
  tui: ['client', 'lessons', 'protocol', 'platform', 'model'],
  cli: [
    'policy-test',
    'compose',
    'resources',
    'yaml',
    'protocol',
    'runtime',
    'client',
    'sandbox',
    'lessons',
    'tui',
    'platform',
    'model',
  ],
  baseline: ['protocol', 'platform', 'model'],
  build: [],
};

/** npm packages that only one place may know. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  blessed: ['src/tui/'],
  dockerode: ['src/runtime/docker/'],
  koffi: ['src/proxy/listener/'],
  express: ['src/control-plane/api/', 'examples/'],
  'http-proxy': ['src/baseline/', 'test/bench/'],
  testcontainers: ['src/testcontainers/'],
  commander: ['src/cli/'],
  pino: ['src/platform/'],
  yaml: ['src/yaml/'],
  '@peculiar/x509': ['src/control-plane/authority/', 'src/workload/', 'test/'],
};

/** Folders directly under proxy/ that wire others together; the rest are feature folders. */
const PROXY_WIRING = new Set(['']);
/** Feature folders that every other one may know: the words of the data path. */
const PROXY_GROUND = new Set(['codec', 'pipeline', 'tunnel']);

const root = resolve(import.meta.dirname, '../..');
const files = walk(join(root, 'src')).map((file) => relative(root, file));
const edges = files.flatMap((file) => importsOf(file).map((to) => ({ from: file, to })));

describe('import table', () => {
  it('is obeyed by every folder of src', () => {
    const broken = edges.filter(({ from, to }) => {
      if (!to.startsWith('src/')) return false;
      const [a, b] = [folderOf(from), folderOf(to)];
      return a !== b && a !== '' && !(MAY_IMPORT[a] ?? []).includes(b);
    });
    expect(broken).toEqual([]);
  });

  it('knows every folder of src', () => {
    const folders = new Set(files.map(folderOf).filter((folder) => folder !== ''));
    expect([...folders].filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
  });

  it('keeps feature folders of the proxy apart', () => {
    const broken = edges.filter(({ from, to }) => {
      if (!from.startsWith('src/proxy/') || !to.startsWith('src/proxy/')) return false;
      const [a, b] = [proxyFolderOf(from), proxyFolderOf(to)];
      return a !== b && !PROXY_WIRING.has(a) && !PROXY_GROUND.has(b);
    });
    expect(broken).toEqual([]);
  });

  it('keeps each special package in its one place', () => {
    const broken = edges.filter(({ from, to }) => {
      const allowed = ONLY_IN[to];
      return allowed !== undefined && !allowed.some((prefix) => from.startsWith(prefix));
    });
    expect(broken).toEqual([]);
  });

  it('has no import cycle between files', () => {
    expect(cycleIn(edges)).toEqual([]);
  });

  it('takes time and chance only in platform', () => {
    const takers = files.filter(
      (file) =>
        !file.startsWith('src/platform/') &&
        !file.startsWith('src/build/') &&
        /(?<!\.)\b(Date\.now\(|performance\.now\(|Math\.random\(|setTimeout\(|setInterval\()/.test(codeOf(file)),
    );
    expect(takers).toEqual([]);
  });
});

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return /\.(ts|mts)$/.test(entry.name) ? [path] : [];
  });
}

function codeOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}

function importsOf(file: string): string[] {
  const found: string[] = [];
  for (const match of codeOf(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)) {
    const specifier = match[1] ?? '';
    if (specifier.startsWith('.')) {
      found.push(relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, '.ts'));
    } else {
      found.push(
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    }
  }
  return found;
}

function folderOf(file: string): string {
  const parts = file.split('/');
  return parts.length > 2 ? (parts[1] ?? '') : '';
}

function proxyFolderOf(file: string): string {
  const parts = file.split('/');
  return parts.length > 3 ? (parts[2] ?? '') : '';
}

function cycleIn(all: readonly { from: string; to: string }[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of all) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    path.push(file);
    for (const to of next.get(file) ?? []) {
      const cycle = visit(to);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(file);
    return [];
  };
  for (const file of next.keys()) {
    const cycle = visit(file);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
