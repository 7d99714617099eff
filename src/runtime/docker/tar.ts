/** A file, folder or link of an archive. */
export interface TarEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly content: Buffer;
  readonly mode: number;
  readonly uid: number;
  /** Symlinks only. */
  readonly target: string;
}

const BLOCK = 512;

/** One entry as ustar blocks (POSIX.1-1988); paths up to 255 bytes, times fixed so that equal content is equal bytes. */
export function tarBlocks(entry: TarEntry): Buffer[] {
  const header = headerOf(entry);
  if (entry.kind !== 'file') return [header];
  const padding = Buffer.alloc((BLOCK - (entry.content.length % BLOCK)) % BLOCK);
  return [header, entry.content, padding];
}

/** The end of an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(BLOCK * 2);
}

const TYPE = { file: '0', symlink: '2', directory: '5' } as const;

function headerOf(entry: TarEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  const [prefix, name] = splitPath(entry.path);
  header.write(name, 0, 100);
  writeOctal(header, entry.mode, 100, 8);
  writeOctal(header, entry.uid, 108, 8);
  writeOctal(header, entry.uid, 116, 8);
  writeOctal(header, entry.kind === 'file' ? entry.content.length : 0, 124, 12);
  writeOctal(header, 0, 136, 12);
  header.fill(' ', 148, 156);
  header.write(TYPE[entry.kind], 156);
  header.write(entry.target, 157, 100);
  header.write('ustar\u000000', 257);
  header.write(prefix, 345, 155);
  writeOctal(
    header,
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return header;
}

function writeOctal(header: Buffer, value: number, at: number, size: number): void {
  header.write(`${value.toString(8).padStart(size - 1, '0')}\0`, at, size, 'latin1');
}

function splitPath(path: string): [string, string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  const cut = path.indexOf('/', path.length - 101);
  if (cut < 0 || cut > 155) throw new Error(`the path is too long for an archive: ${path}`);
  return [path.slice(0, cut), path.slice(cut + 1)];
}
