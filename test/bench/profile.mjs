// What limits us: a CPU profile of our own sidecar under load, reduced to the frames with the most time of their own.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificates } from './certificates.mjs';
import { wrk } from './measure.mjs';
import { lookFor, OURS, startOrigin } from './peers/index.mjs';
import { withStage } from './stage.mjs';

export const SHAPES = ['plain', 'pair', 'bulk'];

/**
 * @returns {Promise<{ process: string, busyMs: number, outside: { name: string, share: number }[], top: { name: string, where: string, share: number }[] }[]>}
 *   one per process; shares are of the time in which it did something
 */
export function profile(shape, seconds = 6) {
  return withStage(async (stage) => {
    const origin = await startOrigin(stage, lookFor('nginx').found);
    const flags = ['--cpu-prof', '--cpu-prof-interval', '500', `--cpu-prof-dir=${stage.folder}`];
    const parts = { origin, flags, ...(shape === 'pair' ? { certificates: makeCertificates(stage) } : {}) };
    const ours = await OURS[shape === 'pair' ? 'pair' : 'plain'](stage, OURS.find(), parts);
    const load = shape === 'bulk' ? { connections: 8, path: '/1m' } : { connections: 50 };
    await wrk({ port: ours.port, seconds, ...load });
    const names = shape === 'pair' ? ['client sidecar', 'server sidecar'] : ['sidecar'];
    const profiles = [];
    for (const [i, child] of ours.children.entries()) {
      const before = new Set(profilesIn(stage.folder));
      await stage.end(child);
      const [file] = profilesIn(stage.folder).filter((name) => !before.has(name));
      if (file === undefined) throw new Error('node wrote no profile');
      profiles.push({ process: names[i], ...reduce(join(stage.folder, file)) });
    }
    return profiles;
  });
}

function profilesIn(folder) {
  return readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
}

/** What V8 counts as time without a frame. */
const OUTSIDE = new Set(['(program)', '(garbage collector)']);

function reduce(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const self = new Map();
  let busy = 0;
  samples.forEach((id, i) => {
    const { functionName, url, lineNumber, columnNumber } = frames.get(id);
    if (functionName === '(idle)' || functionName === '(root)') return;
    const key = `${functionName}\n${url}\n${lineNumber}\n${columnNumber}`;
    self.set(key, (self.get(key) ?? 0) + timeDeltas[i]);
    busy += timeDeltas[i];
  });
  const sources = new Sources();
  const all = [...self]
    .map(([key, micros]) => {
      const [name, url, line, column] = key.split('\n');
      return {
        name: name || '(anonymous)',
        where: sources.place(url, Number(line), Number(column)),
        share: micros / busy,
      };
    })
    .sort((a, b) => b.share - a.share);
  return {
    busyMs: busy / 1000,
    outside: all.filter(({ name }) => OUTSIDE.has(name)),
    top: all.filter(({ name }) => !OUTSIDE.has(name)).slice(0, 5),
  };
}

/** Places in the sources, by the map that esbuild wrote beside the bundle. */
class Sources {
  #maps = new Map();

  place(url, line, column) {
    if (url === '') return 'native';
    const source = this.#map(url)?.findEntry(line, column);
    if (source?.originalSource === undefined) return url;
    return `${source.originalSource.replace(/^.*?((src|test|node_modules)\/)/, '$1')}:${source.originalLine + 1}`;
  }

  #map(url) {
    if (!url.startsWith('file:')) return null;
    if (!this.#maps.has(url)) {
      const file = `${fileURLToPath(url)}.map`;
      this.#maps.set(url, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : null);
    }
    return this.#maps.get(url);
  }
}
