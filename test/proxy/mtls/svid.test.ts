import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyLeaf } from '../../../src/proxy/mtls/svid.js';
import { type Credentials, type Secured, TlsIdentity } from '../../../src/proxy/mtls/tls-identity.js';

type Keys = Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[0]['keys'];

const WEB = 'spiffe://cluster.local/ns/default/sa/web';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;
/** A whole second, since certificates know no smaller part; real time, since TLS looks at it too. */
const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const SIGNS = x509.KeyUsageFlags.digitalSignature;
const BOTH = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];

interface Wishes {
  readonly names?: x509.JsonGeneralNames;
  readonly usage?: x509.Extension | null;
  readonly purposes?: x509.ExtendedKeyUsageType[] | null;
  readonly ca?: boolean;
  readonly more?: readonly x509.Extension[];
  readonly notBefore?: number;
  readonly notAfter?: number;
}

interface Root {
  readonly certificate: x509.X509Certificate;
  readonly keys: Keys;
}

let root: Root;
let stranger: Root;
let leafKeys: Keys;
let leafKey = '';

beforeAll(async () => {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  [root, stranger, leafKeys] = await Promise.all([newRoot(), newRoot(), newKeys()]);
  const der = await webcrypto.subtle.exportKey('pkcs8', leafKeys.privateKey as webcrypto.CryptoKey);
  leafKey = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PRIVATE KEY-----\n`;
});

async function newKeys(): Promise<Keys> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as Keys;
}

async function newRoot(): Promise<Root> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=root',
    notBefore: new Date(NOW - HOUR),
    notAfter: new Date(NOW + 2 * HOUR),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return { certificate, keys };
}

/** A good leaf, except for what is wished. */
async function leaf(wishes: Wishes = {}, issuer = root): Promise<string> {
  const names = wishes.names ?? [{ type: 'url', value: WEB }];
  const purposes = wishes.purposes === undefined ? BOTH : wishes.purposes;
  const usage = wishes.usage === undefined ? new x509.KeyUsagesExtension(SIGNS, true) : wishes.usage;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: '',
    issuer: issuer.certificate.subject,
    notBefore: new Date(wishes.notBefore ?? NOW - 60_000),
    notAfter: new Date(wishes.notAfter ?? NOW + HOUR),
    publicKey: leafKeys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, true)]),
      ...(usage === null ? [] : [usage]),
      ...(purposes === null ? [] : [new x509.ExtendedKeyUsageExtension(purposes)]),
      new x509.BasicConstraintsExtension(wishes.ca ?? false, undefined, true),
      ...(wishes.more ?? []),
    ],
  });
  return certificate.toString('pem');
}

const url = (value: string) => ({ type: 'url' as const, value });
const dns = (value: string) => ({ type: 'dns' as const, value });
const check = async (wishes: Wishes, now = NOW) =>
  verifyLeaf(new X509Certificate(await leaf(wishes)).raw, 'cluster.local', now).uri;

describe('a leaf is taken', () => {
  it.each<[string, Wishes]>([
    ['as the authority makes it', {}],
    ['with a DNS name beside its one URI', { names: [dns('web'), url(WEB)] }],
    ['without ExtendedKeyUsage (X509-SVID: it may be absent)', { purposes: null }],
    [
      'with keyAgreement beside digitalSignature',
      { usage: new x509.KeyUsagesExtension(SIGNS | x509.KeyUsageFlags.keyAgreement, true) },
    ],
  ])('%s', async (_, wishes) => {
    expect(await check(wishes)).toBe(WEB);
  });

  it('from its first to its last millisecond', async () => {
    const lives = { notBefore: NOW, notAfter: NOW + 1_000 };
    expect(await check(lives, NOW)).toBe(WEB);
    expect(await check(lives, NOW + 999)).toBe(WEB);
    await expect(check(lives, NOW - 1)).rejects.toThrow('not valid yet');
    await expect(check(lives, NOW + 1_000)).rejects.toThrow('has expired');
  });
});

describe('a leaf is refused', () => {
  it.each<[string, Wishes, string]>([
    ['no SAN', { names: [] }, '0 URI names'],
    ['a DNS name only', { names: [dns('web')] }, '0 URI names'],
    ['a DNS name that looks like more', { names: [dns(`web, URI:${WEB}`)] }, '0 URI names'],
    ['a mail address that is the ID', { names: [{ type: 'email', value: WEB }] }, '0 URI names'],
    ['two URIs', { names: [url(WEB), url('spiffe://cluster.local/ns/default/sa/admin')] }, '2 URI names'],
    ['a SPIFFE ID and a web address', { names: [url(WEB), url('https://web.example')] }, '2 URI names'],
    [
      'a second SAN extension',
      { more: [new x509.SubjectAlternativeNameExtension([url(WEB)])] },
      '2.5.29.17 stands twice',
    ],
    ['another trust domain', { names: [url('spiffe://evil.test/ns/default/sa/web')] }, 'the trust domain is evil.test'],
    [
      'a trust domain that starts like ours',
      { names: [url('spiffe://cluster.local.evil/ns/default/sa/web')] },
      'the trust domain is',
    ],
    ['the trust domain itself', { names: [url('spiffe://cluster.local')] }, 'not a SPIFFE ID'],
    ['a trust domain in capitals', { names: [url('spiffe://Cluster.local/ns/default/sa/web')] }, 'not a SPIFFE ID'],
    ['a port', { names: [url('spiffe://cluster.local:443/ns/default/sa/web')] }, 'not a SPIFFE ID'],
    ['a path that climbs', { names: [url('spiffe://cluster.local/ns/default/sa/../admin')] }, 'not a SPIFFE ID'],
    ['an empty segment', { names: [url(`${WEB}/`)] }, 'not a SPIFFE ID'],
    ['an escape', { names: [url('spiffe://cluster.local/ns/default/sa/%77eb')] }, 'not a SPIFFE ID'],
    ['a query', { names: [url(`${WEB}?a=b`)] }, 'not a SPIFFE ID'],
    ['two IDs in one name', { names: [url(`${WEB}, URI:${WEB}`)] }, 'not a SPIFFE ID'],
    ['another scheme', { names: [url('https://cluster.local/ns/default/sa/web')] }, 'not a SPIFFE ID'],
    ['over 2,048 bytes', { names: [url(`${WEB}${'a'.repeat(2_048)}`)] }, 'not a SPIFFE ID'],
    ['an authority', { ca: true }, 'a signing certificate'],
    [
      'keyCertSign',
      { usage: new x509.KeyUsagesExtension(SIGNS | x509.KeyUsageFlags.keyCertSign, true) },
      'may not sign',
    ],
    ['cRLSign', { usage: new x509.KeyUsagesExtension(SIGNS | x509.KeyUsageFlags.cRLSign, true) }, 'may not sign'],
    ['no KeyUsage', { usage: null }, 'KeyUsage is missing'],
    ['KeyUsage that is not critical', { usage: new x509.KeyUsagesExtension(SIGNS, false) }, 'not critical'],
    [
      'no digitalSignature',
      { usage: new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyAgreement, true) },
      'lacks digitalSignature',
    ],
    ['serverAuth alone', { purposes: [x509.ExtendedKeyUsage.serverAuth] }, 'both serverAuth and clientAuth'],
    ['clientAuth alone', { purposes: [x509.ExtendedKeyUsage.clientAuth] }, 'both serverAuth and clientAuth'],
  ])('%s', async (_, wishes, reason) => {
    await expect(check(wishes)).rejects.toThrow(reason);
  });

  it('whenever it is cut short, and whatever else is sent instead', async () => {
    const { raw } = new X509Certificate(await leaf());
    for (let length = 0; length < raw.length; length++)
      expect(() => verifyLeaf(raw.subarray(0, length), 'cluster.local', NOW), `${length} bytes`).toThrow();
    for (const junk of ['web', '\0'.repeat(300), '0\x80', '0\x84\xff\xff\xff\xff', '0'.repeat(5_000)])
      expect(() => verifyLeaf(Buffer.from(junk, 'latin1'), 'cluster.local', NOW)).toThrow();
  });

  it('or keeps to the trust domain, whichever byte of it is changed', async () => {
    const { raw } = new X509Certificate(await leaf());
    for (let at = 0; at < raw.length; at++) {
      for (const change of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(raw);
        changed[at] = (changed[at] as number) ^ change;
        let id = WEB;
        try {
          id = verifyLeaf(changed, 'cluster.local', NOW).uri;
        } catch {}
        expect(id, `byte ${at} ^ ${change}`).toMatch(/^spiffe:\/\/cluster\.local(\/[A-Za-z0-9._-]+)+$/);
      }
    }
  });
});

/** A handshake between two identities: what the client got, and what the server saw. */
async function meet(server: Credentials, client: Credentials, expected: readonly string[] = [WEB], serverNow = NOW) {
  const seen: string[] = [];
  const [own, peer] = [new TlsIdentity(() => serverNow), new TlsIdentity(() => NOW)];
  own.use(server);
  peer.use(client);
  const tls = own.server(
    ({ socket, security }: Secured) => {
      seen.push(security.peer);
      socket.end('hello');
    },
    (_, reason) => seen.push(`refused: ${reason}`),
  );
  const listener = createServer({ allowHalfOpen: true }, (socket) => tls.emit('connection', socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const socket: Socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  closing.push(() => {
    socket.destroy();
    listener.close();
  });
  let received = '';
  let failure = '';
  try {
    const secured = await peer.secure(socket, 'web', expected);
    for await (const chunk of secured.socket) received += chunk;
  } catch (error) {
    failure = (error as { code?: string }).code ?? String(error);
  }
  return { received, failure, seen };
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function credentials(wishes: Wishes = {}, issuer = root, believes = root): Promise<Credentials> {
  return {
    key: leafKey,
    certificate: await leaf(wishes, issuer),
    trustBundle: believes.certificate.toString('pem'),
    spiffeId: WEB,
    notAfter: wishes.notAfter ?? NOW + HOUR,
  };
}

describe('a handshake', () => {
  it('between two leaves of one root succeeds, both ways proved', async () => {
    expect(await meet(await credentials(), await credentials())).toEqual({
      received: 'hello',
      failure: '',
      seen: [WEB],
    });
  });

  it('with a server of another root fails, though its names are right', async () => {
    const { received, failure } = await meet(await credentials({}, stranger), await credentials());
    expect({ received, failure }).toEqual({ received: '', failure: 'tls_failure' });
  });

  it('of a client of another root ends without a byte, and the server does not take it', async () => {
    const { received, seen } = await meet(await credentials(), await credentials({}, stranger));
    expect(received).toBe('');
    expect(seen).toEqual([expect.stringMatching(/^refused: /)]);
  });

  it('is never resumed: each one proves the identities anew (F3)', async () => {
    const given = await credentials();
    const server = new TlsIdentity(() => NOW);
    server.use(given);
    const tls = server.server(
      ({ socket }) => void socket.end('hello'),
      () => {},
    );
    const listener = createServer((socket) => tls.emit('connection', socket));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    closing.push(() => listener.close());
    const { port } = listener.address() as AddressInfo;
    let session: Buffer | undefined;
    const reused: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      const { key, certificate: cert, trustBundle: ca } = given;
      const options = { port, host: '127.0.0.1', key, cert, ca, checkServerIdentity: () => undefined };
      const client = tlsConnect(session === undefined ? options : { ...options, session });
      client.on('session', (ticket) => {
        session = ticket;
      });
      await new Promise((resolve) =>
        client
          .on('secureConnect', () => reused.push(client.isSessionReused()))
          .on('close', resolve)
          .resume(),
      );
      session ??= client.getSession();
    }
    expect(reused).toEqual([false, false, false]);
  });

  it('with a server that is somebody else of the mesh is an identity mismatch', async () => {
    const { received, failure } = await meet(await credentials(), await credentials(), [`${WEB}-v2`]);
    expect({ received, failure }).toEqual({ received: '', failure: 'identity_mismatch' });
  });

  it('with a server of our root whose leaf breaks a rule is an identity mismatch', async () => {
    const two = await credentials({ names: [url(WEB), url(`${WEB}-v2`)] });
    expect(await meet(two, await credentials())).toMatchObject({ received: '', failure: 'identity_mismatch' });
  });

  it('of a client of our root whose leaf breaks a rule ends without a byte', async () => {
    const { received, seen } = await meet(await credentials(), await credentials({ names: [dns('web')] }));
    expect(received).toBe('');
    expect(seen).toEqual([expect.stringContaining('0 URI names')]);
  });

  it('of a client whose leaf the server’s clock calls expired ends without a byte', async () => {
    const { received, seen } = await meet(await credentials(), await credentials(), [WEB], NOW + HOUR);
    expect(received).toBe('');
    expect(seen).toEqual(['refused: the certificate has expired']);
  });

  it('is not begun with an own certificate that has expired', async () => {
    const old = await credentials({ notBefore: NOW - 2_000, notAfter: NOW - 1_000 });
    expect(await meet(await credentials(), old)).toEqual({
      received: '',
      failure: 'own_identity_unavailable',
      seen: [],
    });
  });
});
