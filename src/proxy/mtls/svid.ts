import { X509Certificate } from 'node:crypto';
import { parseSpiffeId, type SpiffeId } from '../../model/spiffe-id.js';
import { type DerNode, derChildren, derNode, oidText } from './der.js';

const OID = {
  subjectAltName: '2.5.29.17',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** A certificate that breaks a rule of X509-SVID; the message names the rule. */
export class SvidError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SvidError';
  }
}

/**
 * Checks a peer's leaf by the rules of X509-SVID.md and returns its SPIFFE ID. Everything is read from DER: Node's
 * display strings can be forged (F5) and do not tell KeyUsage (F4). Path validation is TLS's; validity is checked here
 * again, since a handshake is not the only moment at which it matters. Throws {@link SvidError}.
 */
export function verifyLeaf(der: Buffer, trustDomain: string, now: number): SpiffeId {
  const certificate = new X509Certificate(der);
  if (now < Date.parse(certificate.validFrom)) throw new SvidError('the certificate is not valid yet');
  if (now >= Date.parse(certificate.validTo)) throw new SvidError('the certificate has expired');
  const extensions = extensionsOf(der);
  checkUsage(extensions);
  const uris = namesOf(extensions.get(OID.subjectAltName)?.value, TAG.uri);
  if (uris.length !== 1) throw new SvidError(`the certificate has ${uris.length} URI names instead of one`);
  const id = parseSpiffeId(uris[0] as string);
  if (id === null) throw new SvidError('the URI name is not a SPIFFE ID of a workload');
  if (id.trustDomain !== trustDomain) throw new SvidError(`the trust domain is ${id.trustDomain}, not ${trustDomain}`);
  return id;
}

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

function extensionsOf(der: Buffer): Map<string, Extension> {
  const [tbs] = derChildren(derNode(der).content);
  const holder = derChildren((tbs as DerNode).content).find((node) => node.tag === 0xa3);
  const found = new Map<string, Extension>();
  if (!holder) return found;
  for (const node of derChildren(derNode(holder.content).content)) {
    const parts = derChildren(node.content);
    const oid = oidText((parts[0] as DerNode).content);
    if (found.has(oid)) throw new SvidError(`the extension ${oid} stands twice`);
    const critical = parts.length === 3 && (parts[1] as DerNode).content[0] !== 0;
    found.set(oid, { critical, value: (parts[parts.length - 1] as DerNode).content });
  }
  return found;
}

function checkUsage(extensions: ReadonlyMap<string, Extension>): void {
  const usage = extensions.get(OID.keyUsage);
  if (!usage?.critical) throw new SvidError('KeyUsage is missing or not critical');
  const bits = derNode(usage.value).content[1] ?? 0;
  if ((bits & 0x80) === 0) throw new SvidError('KeyUsage lacks digitalSignature');
  if ((bits & 0x06) !== 0) throw new SvidError('a leaf may not sign certificates or lists');
  const constraints = extensions.get(OID.basicConstraints);
  const isAuthority =
    constraints && derChildren(derNode(constraints.value).content).some((n) => n.tag === 1 && n.content[0] !== 0);
  if (isAuthority) throw new SvidError('a signing certificate may not be used as a leaf');
  const extended = extensions.get(OID.extendedKeyUsage);
  if (!extended) return;
  const purposes = derChildren(derNode(extended.value).content).map((node) => oidText(node.content));
  if (!purposes.includes(OID.serverAuth) || !purposes.includes(OID.clientAuth)) {
    throw new SvidError('ExtendedKeyUsage must hold both serverAuth and clientAuth');
  }
}

/** DNS names that a leaf bears beside its SPIFFE ID (Linkerd's identities are such). */
export function dnsNamesOf(der: Buffer): string[] {
  return namesOf(extensionsOf(der).get(OID.subjectAltName)?.value, TAG.dns);
}

/** Choices of GeneralName (RFC 5280 §4.2.1.6). */
const TAG = { dns: 0x82, uri: 0x86 } as const;

function namesOf(value: Buffer | undefined, tag: number): string[] {
  if (value === undefined) return [];
  return derChildren(derNode(value).content)
    .filter((node) => node.tag === tag)
    .map((node) => node.content.toString('latin1'));
}
