/** A reader for the few ASN.1 structures of a certificate (X.690 DER). Throws on anything malformed. */
export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
  /** The whole element with its header. */
  readonly raw: Buffer;
}

/** The element at the start of `bytes`; what follows it is ignored. */
export function derNode(bytes: Buffer): DerNode {
  if (bytes.length < 2) throw new Error('DER: too short');
  const tag = bytes[0] as number;
  const first = bytes[1] as number;
  let header = 2;
  let length = first;
  if (first & 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || bytes.length < 2 + count) throw new Error('DER: bad length');
    length = bytes.readUIntBE(2, count);
    header = 2 + count;
  }
  if (bytes.length < header + length) throw new Error('DER: truncated');
  return { tag, content: bytes.subarray(header, header + length), raw: bytes.subarray(0, header + length) };
}

/** The elements inside a constructed element, in order. */
export function derChildren(content: Buffer): DerNode[] {
  const nodes: DerNode[] = [];
  let rest = content;
  while (rest.length > 0) {
    const node = derNode(rest);
    nodes.push(node);
    rest = rest.subarray(node.raw.length);
  }
  return nodes;
}

/** Content of an OBJECT IDENTIFIER as dotted text. */
export function oidText(content: Buffer): string {
  const parts: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (parts.length === 0)
      parts.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    else parts.push(value);
    value = 0;
  }
  return parts.join('.');
}
