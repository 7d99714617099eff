// An authority and one leaf of it, by the rules of X509-SVID, made with the openssl command: both ends of a pair show the
// same workload identity, as two replicas of one service would.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const SPIFFE_ID = 'spiffe://cluster.local/ns/default/sa/reviews';
/** nginx and HAProxy verify names, not URIs. */
export const DNS_NAME = 'reviews.default.svc.cluster.local';

/** @returns {{ files: { key: string, certificate: string, ca: string, both: string }, pem: { key: string, certificate: string, ca: string } }} */
export function makeCertificates(stage) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: stage.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  stage.file(
    'leaf.ext',
    [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=serverAuth,clientAuth',
      `subjectAltName=URI:${SPIFFE_ID},DNS:${DNS_NAME}`,
    ].join('\n'),
  );
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    ...['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/O=mesh-sandbox bench'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
  openssl('req', ...key, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', `/CN=${DNS_NAME}`);
  openssl(
    ...['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1'],
    ...['-extfile', 'leaf.ext', '-out', 'leaf.pem'],
  );
  const read = (name) => readFileSync(join(stage.folder, name), 'utf8');
  const pem = { key: read('leaf.key'), certificate: read('leaf.pem'), ca: read('ca.pem') };
  const both = stage.file('leaf-both.pem', pem.certificate + pem.key);
  return {
    files: {
      key: join(stage.folder, 'leaf.key'),
      certificate: join(stage.folder, 'leaf.pem'),
      ca: join(stage.folder, 'ca.pem'),
      both,
    },
    pem,
  };
}
