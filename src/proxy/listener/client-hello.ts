/** What a client says of itself before anybody answers (RFC 8446, 4.1.2). */
export interface ClientHello {
  /** Protocols that it offers (ALPN, RFC 7301): that is how traffic between sidecars is told from an app's own TLS. */
  readonly offered: readonly string[];
  /** The name that it asks for (SNI, RFC 6066), in lower case; '' = none. */
  readonly serverName: string;
}

/** Reads the first bytes of a TLS connection. Null = all of the hello is not there yet. */
export function clientHello(bytes: Buffer): ClientHello | null {
  if (bytes.length < RECORD_HEAD) return null;
  const end = RECORD_HEAD + bytes.readUInt16BE(3);
  if (bytes.length < end) return end > LONGEST ? NOTHING : null;
  try {
    return helloOf(bytes.subarray(RECORD_HEAD, end));
  } catch {
    // Not a hello that can be read: a handshake will say so, and nothing is offered.
    return NOTHING;
  }
}

const RECORD_HEAD = 5;
/** Longest record of TLS, with its head. */
const LONGEST = 16_384 + 256 + RECORD_HEAD;
const NOTHING: ClientHello = { offered: [], serverName: '' };
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;

/** Throws where the message ends too early. */
function helloOf(hello: Buffer): ClientHello {
  let at = 4 + 2 + 32;
  at += 1 + hello.readUInt8(at); // session id
  at += 2 + hello.readUInt16BE(at); // cipher suites
  at += 1 + hello.readUInt8(at); // compression methods
  const end = at + 2 + hello.readUInt16BE(at);
  at += 2;
  let { offered, serverName } = NOTHING;
  while (at < end) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    at += 4;
    const body = hello.subarray(at, at + length);
    if (type === EXTENSION_ALPN) offered = namesIn(body.subarray(2));
    if (type === EXTENSION_SERVER_NAME) serverName = nameIn(body);
    at += length;
  }
  return { offered, serverName };
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

/** A list of one name, of type 0 (a host name). */
function nameIn(list: Buffer): string {
  const length = list.readUInt16BE(3);
  return list.readUInt8(2) === 0 ? list.toString('latin1', 5, 5 + length).toLowerCase() : '';
}
