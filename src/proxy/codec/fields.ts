import { DEFAULT_SIDECAR_LIMITS, type SidecarLimits, type Slashes } from '../../model/limits.js';
import type { ProxyError } from '../pipeline/proxy-error.js';
import { ByteNames } from './byte-names.js';
import { COLON, CR, FIELD_VALUE, LF, ODD, SP, TAB, TOKEN } from './bytes.js';
import { FieldBlock } from './field-block.js';

/** Limits of one message head (security rules, 1.2). */
export interface HeadLimits {
  /** Whole block in bytes. */
  readonly block: number;
  readonly count: number;
  /** Request line in bytes. */
  readonly line: number;
  /** Chunk extensions that are skipped, in bytes over one body: unbounded ones were CVE-2024-22019. */
  readonly extension: number;
  readonly slashes: Slashes;
}

/** The part of a sidecar's limits that the codec obeys. */
export function headLimits(limits: SidecarLimits, slashes: Slashes = 'merge'): HeadLimits {
  return {
    slashes,
    block: limits.headBytes,
    count: limits.headFields,
    line: limits.requestLineBytes,
    extension: limits.chunkExtensionBytes,
  };
}

export const DEFAULT_LIMITS: HeadLimits = headLimits(DEFAULT_SIDECAR_LIMITS);

/** What the parser keeps to itself: fields that frame the message or belong to this connection only. */
export interface HopFields {
  contentLength: string;
  contentLengthLines: number;
  transferEncoding: string;
  transferEncodingLines: number;
  connection: string;
  upgrade: string;
  expect: string;
  te: string;
  host: string;
  hostLines: number;
}

/** What the parser does with a field that ends here: keep its value, or only drop the line. */
type Hop = (hop: HopFields, value: string) => void;

/** Fields that end at this connection (RFC 9110 §7.6.1), and those that are written anew. */
const HOP_BY_HOP = new ByteNames<Hop>([
  ['connection', (hop, value) => (hop.connection = listed(hop.connection, value))],
  ['te', (hop, value) => (hop.te = listed(hop.te, value))],
  ['upgrade', (hop, value) => (hop.upgrade = value)],
  ['expect', (hop, value) => (hop.expect = listed(hop.expect, value))],
  [
    'content-length',
    (hop, value) => {
      hop.contentLength = value;
      hop.contentLengthLines++;
    },
  ],
  [
    'transfer-encoding',
    (hop, value) => {
      hop.transferEncoding = value;
      hop.transferEncodingLines++;
    },
  ],
  [
    'host',
    (hop, value) => {
      hop.host = value;
      hop.hostLines++;
    },
  ],
  ['keep-alive', () => {}],
  ['proxy-connection', () => {}],
  ['proxy-authenticate', () => {}],
  ['proxy-authorization', () => {}],
  ['trailer', () => {}],
  ['http2-settings', () => {}],
]);

function listed(before: string, value: string): string {
  return before === '' ? value : `${before},${value}`;
}

/** Fields that a `Connection` nomination may not take away (F2): they carry framing, identity or authority. */
const PROTECTED =
  /^(host|content-length|transfer-encoding|authorization|cookie|traceparent|tracestate|x-request-id|forwarded|x-real-ip|x-forwarded-.*|x-mesh-.*|x-envoy-.*)$/;

/**
 * True for a name that means something to a server which folds every odd character onto a dash or an underscore
 * (`X.Forwarded.For`): it would speak with the authority of a field that was looked at under its own name only.
 */
export function isAlias(name: string): boolean {
  const folded = dashed(name);
  return folded !== name && (PROTECTED.test(folded) || isHopByHop(folded));
}

/** A field name as the most forgiving servers read it. */
export function dashed(name: string): string {
  return name.replace(/[^a-z0-9-]/g, '-');
}

function isHopByHop(name: string): boolean {
  const bytes = Buffer.from(name, 'latin1');
  return HOP_BY_HOP.find(bytes, 0, bytes.length) !== undefined;
}

/** Makes a used one empty again: parsers keep one, since one parser runs at a time. */
export function clearHopFields(hop: HopFields): HopFields {
  hop.contentLength = '';
  hop.contentLengthLines = 0;
  hop.transferEncoding = '';
  hop.transferEncodingLines = 0;
  hop.connection = '';
  hop.upgrade = '';
  hop.expect = '';
  hop.te = '';
  hop.host = '';
  hop.hostLines = 0;
  return hop;
}

export function emptyHopFields(): HopFields {
  return {
    contentLength: '',
    contentLengthLines: 0,
    transferEncoding: '',
    transferEncodingLines: 0,
    connection: '',
    upgrade: '',
    expect: '',
    te: '',
    host: '',
    hostLines: 0,
  };
}

/** Offsets of the lines being parsed: name start, name end, value start, value end. One parser runs at a time. */
const offsets = new Int32Array(4 * 1024);
/** What each of these lines is to the parser; undefined = end-to-end. */
const kinds: (Hop | undefined)[] = [];

/**
 * Parses the field lines of `buffer[start, end)`, where `end` is just behind the last line's CRLF. Names are lower-cased
 * in place. Hop-by-hop fields go to `hop`, the others to the returned block, whose text begins at `textStart` (the start
 * of the message). Throws `bad` for anything RFC 9112 §5 does not allow (bare CR or LF, obs-fold, space before the colon,
 * control bytes, bytes >= 0x80).
 */
export function parseFields(
  buffer: Buffer,
  start: number,
  end: number,
  hop: HopFields,
  limits: HeadLimits,
  rules: FieldRules,
  textStart = start,
): ParsedFields {
  const lines = scanLines(buffer, start, end, limits, rules);
  // One decoding for the whole head, after the names were lower-cased: substrings of it cost next to nothing.
  const text = buffer.toString('latin1', textStart, end);
  let kept = 0;
  for (let line = 0; line < lines; line++) {
    const kind = kinds[line];
    if (kind === undefined) kept++;
    else
      kind(
        hop,
        text.substring((offsets[line * 4 + 2] as number) - textStart, (offsets[line * 4 + 3] as number) - textStart),
      );
  }
  return { text, fields: new FieldBlock(text, spansOf(lines, kept, textStart)) };
}

export interface ParsedFields {
  /** The message from `textStart` on, names lower-case. */
  readonly text: string;
  readonly fields: FieldBlock;
}

function spansOf(lines: number, kept: number, textStart: number): number[] {
  const spans = new Array<number>(kept * 4);
  let to = 0;
  for (let line = 0; line < lines; line++) {
    if (kinds[line] !== undefined) continue;
    const at = line * 4;
    spans[to] = (offsets[at] as number) - textStart;
    spans[to + 1] = (offsets[at + 1] as number) - textStart;
    spans[to + 2] = (offsets[at + 2] as number) - textStart;
    spans[to + 3] = (offsets[at + 3] as number) - textStart;
    to += 4;
  }
  return spans;
}

export interface FieldRules {
  /** Take names with odd characters as they are: requests may not have `_`, nor aliases of fields that matter. */
  readonly odd: boolean;
  readonly bad: () => ProxyError;
  /** There are more than `most`. */
  readonly tooMany: (most: number) => ProxyError;
}

/** Fills `offsets` and `kinds`, and returns the number of lines. */
function scanLines(buffer: Buffer, start: number, end: number, limits: HeadLimits, rules: FieldRules): number {
  const most = Math.min(limits.count * 4, offsets.length);
  let slot = 0;
  let at = start;
  while (at < end) {
    if (slot >= most) throw rules.tooMany(limits.count);
    const nameStart = at;
    let seen = 0;
    let byte = buffer[at] as number;
    while (byte !== COLON) {
      const lower = TOKEN[byte] as number;
      if (lower === 0) throw rules.bad();
      seen |= lower;
      buffer[at] = lower & ~ODD;
      byte = buffer[++at] as number;
    }
    if (at === nameStart) throw rules.bad();
    if (seen >= ODD && !rules.odd) refuseOddName(buffer.toString('latin1', nameStart, at), rules);
    const nameEnd = at++;
    while (buffer[at] === SP || buffer[at] === TAB) at++;
    const valueStart = at;
    while (FIELD_VALUE[buffer[at] as number] === 1) at++;
    if (buffer[at] !== CR || buffer[at + 1] !== LF || at >= end) throw rules.bad();
    let valueEnd = at;
    while (valueEnd > valueStart && (buffer[valueEnd - 1] === SP || buffer[valueEnd - 1] === TAB)) valueEnd--;
    offsets[slot] = nameStart;
    offsets[slot + 1] = nameEnd;
    offsets[slot + 2] = valueStart;
    offsets[slot + 3] = valueEnd;
    kinds[slot >> 2] = HOP_BY_HOP.find(buffer, nameStart, nameEnd);
    slot += 4;
    at += 2;
  }
  return slot >> 2;
}

/** A name with a character that is no letter, digit or dash: other servers may take it for one with a dash. */
function refuseOddName(name: string, rules: FieldRules): void {
  if (name.includes('_') || isAlias(name)) throw rules.bad();
}

export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** End-to-end fields that it named and that are gone; null = none. */
  readonly dropped: FieldBlock | null;
}

const KEEP_ALIVE: ConnectionOptions = { close: false, keepAlive: true, upgrade: false, dropped: null };
const CLOSE: ConnectionOptions = { close: true, keepAlive: false, upgrade: false, dropped: null };
const NO_OPTIONS: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, dropped: null };

/** Reads `Connection` and removes what it nominates from `fields`, except what may not be nominated. */
export function applyConnection(value: string, fields: FieldBlock): ConnectionOptions {
  if (value === '') return NO_OPTIONS;
  if (value === 'keep-alive' || value === 'Keep-Alive') return KEEP_ALIVE;
  if (value === 'close') return CLOSE;
  const options = { close: false, keepAlive: false, upgrade: false };
  const nominated = new Set<string>();
  for (const part of value.toLowerCase().split(',')) {
    const option = part.trim();
    if (option === 'close') options.close = true;
    else if (option === 'keep-alive') options.keepAlive = true;
    else if (option === 'upgrade') options.upgrade = true;
    else if (option !== '' && !PROTECTED.test(option)) nominated.add(option);
  }
  let dropped: FieldBlock | null = null;
  for (const name of nominated) {
    const values = fields.all(name);
    if (values.length === 0) continue;
    dropped ??= FieldBlock.of();
    for (const value of values) dropped.append(name, value);
    fields.remove(name);
  }
  return { ...options, dropped };
}

/** A Content-Length as a number, or -1 when it is not plain digits or too large to count exactly. */
export function parseLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
