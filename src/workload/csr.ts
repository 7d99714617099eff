import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A key that was made here and never leaves, and the request to certify it. */
export interface KeyAndRequest {
  readonly privateKey: KeyObject;
  /** PKCS#8 PEM, for TLS contexts of this process only. */
  readonly keyPem: string;
  /** PKCS#10 PEM. */
  readonly csr: string;
}

/**
 * Makes a P-256 key and a certification request (RFC 2986) with an empty subject: the authority ignores whatever a
 * request asks for and certifies the caller's own name.
 */
export function newKeyAndRequest(): KeyAndRequest {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { privateKey, keyPem, csr: requestFor(privateKey) };
}

const VERSION_0 = Buffer.from([0x02, 0x01, 0x00]);
const EMPTY_SEQUENCE = Buffer.from([0x30, 0x00]);
const NO_ATTRIBUTES = Buffer.from([0xa0, 0x00]);
/** AlgorithmIdentifier of ecdsa-with-SHA256, 1.2.840.10045.4.3.2. */
const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');

function requestFor(privateKey: KeyObject): string {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const info = der(0x30, VERSION_0, EMPTY_SEQUENCE, publicKey, NO_ATTRIBUTES);
  const signature = sign('sha256', info, privateKey);
  const request = der(0x30, info, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = request.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** One DER element; lengths up to 65,535 are all that is needed here. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
