import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UIDS } from '../../model/names.js';
import { IMAGE_PROGRAMS } from '../programs.js';
import { SandboxError } from '../runtime.js';
import type { TarEntry } from './tar.js';

/** Changes with the recipe, so that images of an older one are not used. */
const RECIPE = 5;

const IPTABLES = ['', '-save', '-restore'].flatMap((verb) => [`iptables${verb}`, `ip6tables${verb}`]);

/** Our programs with the native library that the proxy loads, as entries below /opt/mesh-sandbox. */
export function programEntries(programs: string, architecture: string): TarEntry[] {
  const bundles = readdirSync(programs)
    .filter((name) => name.endsWith('.cjs'))
    .map((name) => fileEntry(`${IMAGE_PROGRAMS}/${name}`, readFileSync(join(programs, name))));
  return [...bundles, ...koffiEntries(architecture)];
}

/** koffi without what only other platforms need. Nothing when it was not installed for Linux (an engine in a VM): the image's Node has `node:ffi`. */
function koffiEntries(architecture: string): TarEntry[] {
  const main = createRequire(import.meta.url).resolve('koffi');
  const folder = dirname(main);
  const native = join(dirname(folder), '@koromix', `koffi-linux-${architecture}`);
  if (!existsSync(native)) return [];
  const modules = `${IMAGE_PROGRAMS}/node_modules`;
  const scripts = ['package.json', 'index.cjs', 'src/koffi/index.cjs', 'src/koffi/src/static.cjs'];
  return [
    ...scripts.map((name) => fileEntry(`${modules}/koffi/${name}`, readFileSync(join(folder, name)))),
    ...folderEntries(native, `${modules}/@koromix/koffi-linux-${architecture}`),
  ];
}

/** Tag of an image, made of what is in it: the same programs on the same Node give the same one. */
export function contentTag(programs: readonly TarEntry[], base: string): string {
  const hash = createHash('sha256').update(`${RECIPE} ${base}`);
  for (const { path, content } of programs) hash.update(path).update(content);
  return hash.digest('hex').slice(0, 16);
}

/**
 * A root file system made of this Linux machine's own files: Node.js, a shell, `sleep`, iptables, and the libraries that
 * they load. Nothing is downloaded, so that rooms without internet work. Throws when one of them is missing.
 */
export function hostEntries(): TarEntry[] {
  const tools = new Map<string, string>([
    ['/usr/local/bin/node', realpathSync(process.execPath)],
    ['/bin/sh', toolPath('sh')],
    ['/bin/sleep', toolPath('sleep')],
    ...IPTABLES.map((name): [string, string] => [`/usr/sbin/${name}`, toolPath(name)]),
  ]);
  const plugins = pluginFolder();
  const extensions = readdirSync(plugins).map((name) => join(plugins, name));
  const needed = librariesOf([...tools.values(), ...extensions]);
  return [
    ...[...tools].map(([path, from]) => fileEntry(path, readFileSync(from), 0o755)),
    ...needed.map((path) => fileEntry(path, readFileSync(path), 0o755)),
    ...folderEntries(plugins, plugins),
    ...skeleton(),
  ];
}

function skeleton(): TarEntry[] {
  const passwd = `root:x:0:0:root:/:/bin/sh\nproxy:x:${UIDS.proxy}:${UIDS.proxy}::/:/bin/sh\napp:x:${UIDS.app}:${UIDS.app}::/tmp:/bin/sh\ncontrol:x:${UIDS.controlPlane}:${UIDS.controlPlane}::/tmp:/bin/sh\n`;
  return [
    directoryEntry('/tmp', 0o1777, 0),
    directoryEntry('/run', 0o755, 0),
    directoryEntry('/proc', 0o555, 0),
    directoryEntry('/var/lib/mesh-sandbox', 0o700, UIDS.controlPlane),
    fileEntry('/etc/passwd', Buffer.from(passwd)),
    fileEntry('/etc/group', Buffer.from(passwd.replaceAll(/^(\w+):x:(\d+).*$/gm, '$1:x:$2:'))),
    fileEntry('/etc/nsswitch.conf', Buffer.from('passwd: files\ngroup: files\nhosts: files dns\n')),
  ];
}

function toolPath(name: string): string {
  const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) return realpathSync(found);
  throw new SandboxError(`${name} is not installed on this machine, and no public Node image could be pulled`, [
    name.startsWith('ip') ? 'sudo apt-get install iptables' : `install ${name}`,
    'mesh-sandbox up --runtime local',
  ]);
}

/** Where iptables looks for its extensions. */
function pluginFolder(): string {
  const roots = ['/usr/lib', '/lib', '/usr/lib64', '/lib64'];
  const folders = roots.flatMap((root) => [
    join(root, 'xtables'),
    ...subfolders(root).map((sub) => join(root, sub, 'xtables')),
  ]);
  const found = folders.find((folder) => existsSync(folder));
  if (found === undefined)
    throw new SandboxError('the extensions of iptables were not found on this machine', [
      'mesh-sandbox up --runtime local',
    ]);
  return found;
}

function subfolders(root: string): string[] {
  return existsSync(root) ? readdirSync(root).filter((name) => name.endsWith('-linux-gnu')) : [];
}

/** Shared libraries as `ldd` resolves them, the loader included, each once. Static programs have none. */
function librariesOf(paths: readonly string[]): string[] {
  // Its exit code complains of static programs among them; the list is complete all the same.
  const { stdout } = spawnSync('ldd', [...paths], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  const found = [...(stdout ?? '').matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] as string);
  if (found.length > 0) return [...new Set(found)];
  throw new SandboxError('ldd does not say which libraries Node.js and iptables need on this machine', [
    'mesh-sandbox up --runtime local',
  ]);
}

function folderEntries(from: string, to: string): TarEntry[] {
  return readdirSync(from).flatMap((name) => {
    const [source, path] = [join(from, name), `${to}/${name}`];
    return statSync(source).isDirectory()
      ? folderEntries(source, path)
      : [fileEntry(path, readFileSync(source), 0o755)];
  });
}

export function fileEntry(path: string, content: Buffer, mode = 0o644): TarEntry {
  return { path: path.replace(/^\//, ''), kind: 'file', content, mode, uid: 0, target: '' };
}

function directoryEntry(path: string, mode: number, uid: number): TarEntry {
  return { path: `${path.replace(/^\//, '')}/`, kind: 'directory', content: Buffer.alloc(0), mode, uid, target: '' };
}
