/**
 * Reads from the first bytes of a TLS connection which protocols its client offers (ALPN, RFC 7301), before anybody
 * answers: that is how traffic between sidecars is told from an app's own TLS. Null = all of it is not there yet.
 */
export function offeredProtocols(bytes: Buffer): readonly string[] | null {
  if (bytes.length < RECORD_HEAD) return null;
  const end = RECORD_HEAD + bytes.readUInt16BE(3);
  if (bytes.length < end) return end > LONGEST ? NOTHING : null;
  try {
    return alpnOf(bytes.subarray(RECORD_HEAD, end));
  } catch {
    // Not a hello that can be read: a handshake will say so, and nothing is offered.
    return NOTHING;
  }
}

const RECORD_HEAD = 5;
/** Longest record of TLS, with its head. */
const LONGEST = 16_384 + 256 + RECORD_HEAD;
const NOTHING: readonly string[] = [];
const EXTENSION_ALPN = 16;

/** The protocols of a ClientHello message (RFC 8446, 4.1.2); throws where it ends too early. */
function alpnOf(hello: Buffer): readonly string[] {
  let at = 4 + 2 + 32;
  at += 1 + hello.readUInt8(at); // session id
  at += 2 + hello.readUInt16BE(at); // cipher suites
  at += 1 + hello.readUInt8(at); // compression methods
  const end = at + 2 + hello.readUInt16BE(at);
  at += 2;
  while (at < end) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    at += 4;
    if (type === EXTENSION_ALPN) return namesIn(hello.subarray(at + 2, at + length));
    at += length;
  }
  return NOTHING;
}

function namesIn(list: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.length; ) {
    const length = list.readUInt8(at);
    names.push(list.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return names;
}
