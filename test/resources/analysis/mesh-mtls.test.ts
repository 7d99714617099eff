import { describe, expect, it } from 'vitest';
import { destinationRule, peerAuthentication, told } from './told.js';

const CODES = 'KIA0204 KIA0205 KIA0206 KIA0401 KIA0501 KIA0505 KIA0506';
const MESH = '"*.local"';
const OWN = '"*.default.svc.cluster.local"';
const OWN_KEYS = ', clientCertificate: /etc/c.pem, privateKey: /etc/c.key';
const rule = (name: string, host: string, mode: string) => {
  const tls = `{ mode: ${mode}${mode === 'MUTUAL' ? OWN_KEYS : ''} }`;
  return destinationRule(`name: ${name}`, `{ host: ${host}${mode === '' ? '' : `, trafficPolicy: { tls: ${tls} }`} }`);
};
const policy = (namespace: string, mode: string, more = '') =>
  peerAuthentication(`name: p, namespace: ${namespace}`, `{ ${more}mtls: { mode: ${mode} } }`);
/** Automatic mutual TLS is off. */
const MANUAL = `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    enableAutoMtls: false
`;

describe('mutual TLS of a mesh or namespace', () => {
  it.each([
    [
      'off in a namespace, and callers speak it there',
      [policy('default', 'DISABLE'), rule('r', OWN, 'ISTIO_MUTUAL')],
      'KIA0505',
    ],
    [
      'off in a namespace, and callers speak it everywhere',
      [policy('default', 'DISABLE'), rule('r', MESH, 'ISTIO_MUTUAL')],
      'KIA0505',
    ],
    [
      'off in a namespace, and callers know',
      [policy('default', 'DISABLE'), rule('r', MESH, 'ISTIO_MUTUAL'), rule('s', OWN, 'DISABLE')],
      '',
    ],
    [
      'off for some workloads',
      [policy('default', 'DISABLE', 'selector: { matchLabels: { a: b } }, '), rule('r', OWN, 'ISTIO_MUTUAL')],
      '',
    ],
    ['off in another namespace', [policy('other', 'DISABLE'), rule('r', OWN, 'ISTIO_MUTUAL')], ''],
    [
      'off in the mesh, and callers speak it',
      [policy('istio-system', 'DISABLE'), rule('r', MESH, 'MUTUAL')],
      'KIA0506',
    ],
    ['off in the mesh, and callers do not', [policy('istio-system', 'DISABLE'), rule('r', MESH, 'DISABLE')], ''],
    ['a rule that takes the place of one for all', [rule('r', MESH, 'MUTUAL'), rule('s', 'reviews', '')], 'KIA0204'],
    ['one that says it again', [rule('r', MESH, 'MUTUAL'), rule('s', 'reviews', 'MUTUAL')], ''],
    ['one for a host outside', [rule('r', MESH, 'MUTUAL'), rule('s', 'a.com', '')], ''],
    ['of what Istio does by itself', [rule('r', MESH, 'ISTIO_MUTUAL'), rule('s', 'reviews', '')], ''],
    [
      'of what nobody else does',
      [MANUAL, rule('r', MESH, 'ISTIO_MUTUAL'), rule('s', 'reviews', '')],
      'KIA0204 KIA0205',
    ],
    ['callers of the mesh speak it to nobody', [MANUAL, rule('r', MESH, 'ISTIO_MUTUAL')], 'KIA0205'],
    [
      'callers of the mesh speak it',
      [MANUAL, rule('r', MESH, 'ISTIO_MUTUAL'), policy('istio-system', 'PERMISSIVE')],
      '',
    ],
    [
      'callers of the mesh speak it to one namespace',
      [MANUAL, rule('r', MESH, 'ISTIO_MUTUAL'), policy('default', 'PERMISSIVE')],
      'KIA0205',
    ],
    ['callers speak it in a namespace', [MANUAL, rule('r', OWN, 'ISTIO_MUTUAL')], 'KIA0206'],
    [
      'callers speak it in a namespace that takes it',
      [MANUAL, rule('r', OWN, 'ISTIO_MUTUAL'), policy('default', 'STRICT')],
      '',
    ],
    ['by itself', [rule('r', OWN, 'ISTIO_MUTUAL'), policy('istio-system', 'STRICT')], ''],
    ['a strict mesh that nobody can call', [MANUAL, policy('istio-system', 'STRICT')], 'KIA0401'],
    ['a strict mesh', [MANUAL, policy('istio-system', 'STRICT'), rule('r', MESH, 'ISTIO_MUTUAL')], ''],
    ['a strict namespace that nobody can call', [MANUAL, policy('default', 'STRICT')], 'KIA0501'],
    ['a strict namespace', [MANUAL, policy('default', 'STRICT'), rule('r', OWN, 'ISTIO_MUTUAL')], ''],
    ['strict by itself', [policy('istio-system', 'STRICT')], ''],
  ])('%s', (_, documents, expected) => {
    expect(
      told(CODES, documents)
        .map((one) => one.slice(0, 7))
        .sort()
        .join(' '),
    ).toBe(expected);
  });

  it('is told at its line, as Kiali ranks it', () => {
    expect(told(CODES, [policy('default', 'DISABLE'), rule('r', OWN, 'ISTIO_MUTUAL')])).toEqual([
      'KIA0505 error PeerAuthentication default/p 4',
    ]);
    expect(told(CODES, [rule('r', MESH, 'MUTUAL'), rule('s', 'reviews', '')])).toEqual([
      'KIA0204 warning DestinationRule default/s 9',
    ]);
  });
});
