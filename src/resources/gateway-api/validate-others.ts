import { READING } from '../../model/finding.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Report, Resource } from '../resource.js';
import { isHttp, WAYPOINT } from './attachments.js';
import type { BackendTrafficPolicy } from './backend-traffic.js';
import type { BackendTlsPolicy, Gateway } from './others.js';

const PROTOCOLS = ['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP', 'HBONE'];
const MOST_LISTENERS = 64;

export function checkGateway({ spec }: Resource<Gateway>, report: Report): void {
  const { listeners } = spec;
  const names = new Set<string>();
  const refuse = (where: object, field: string, message: string, hint = ''): void =>
    report(READING.schema, 'error', sourceOf(where, field), message, hint);
  if (listeners.length === 0 || listeners.length > MOST_LISTENERS)
    refuse(spec, 'listeners', `a Gateway has from 1 to ${MOST_LISTENERS} listeners`);
  for (const listener of listeners) {
    const { name, protocol, tls } = listener;
    if (names.has(name)) refuse(listener, 'name', `two listeners are named ${name}`);
    names.add(name);
    if (!PROTOCOLS.includes(protocol) && !protocol.includes('/'))
      refuse(listener, 'protocol', `${protocol} is no protocol of a listener`, PROTOCOLS.join(', '));
    if (tls !== undefined && ['HTTP', 'TCP', 'UDP'].includes(protocol))
      refuse(listener, 'tls', `tls must not be specified for the protocol ${protocol}`, 'protocol: HTTPS');
    if (listener.hostname !== undefined && ['TCP', 'UDP'].includes(protocol))
      refuse(listener, 'hostname', `hostname must not be specified for the protocol ${protocol}`);
    const unobeyed = (where: string, why: string): void =>
      report(READING.unsupportedField, 'warning', sourceOf(listener, where), `${where} is not obeyed: ${why}`);
    if (!isHttp(listener)) unobeyed('protocol', `the sandbox's gateway speaks HTTP, so nothing is served by ${name}`);
    else if (protocol === 'HTTPS') unobeyed('protocol', 'the sandbox publishes its gateway in plaintext on loopback');
  }
  if (spec.gatewayClassName === WAYPOINT)
    report(
      READING.unsupportedField,
      'warning',
      sourceOf(spec, 'gatewayClassName'),
      'a waypoint has no effect: sidecars do its work here',
    );
}

/** As far as it applies: what it demands of certificates is checked, and then said to be without effect. */
export function checkBackendTlsPolicy({ spec }: Resource<BackendTlsPolicy>, report: Report): void {
  const { validation, targetRefs } = spec;
  const { caCertificateRefs = [], wellKnownCACertificates } = validation;
  if (caCertificateRefs.length > 0 === (wellKnownCACertificates !== undefined))
    report(
      READING.schema,
      'error',
      sourceOf(spec, 'validation'),
      'validation has caCertificateRefs or wellKnownCACertificates, one of them',
      'wellKnownCACertificates: System',
    );
  report(
    READING.unsupportedField,
    'warning',
    sourceOf(spec, 'validation'),
    `calls to ${targetRefs.map(({ name }) => name).join(', ')} are not encrypted by it: in the mesh sidecars do that with identities of their own, and to others nothing is encrypted`,
  );
}

export function checkBackendTrafficPolicy({ spec }: Resource<BackendTrafficPolicy>, report: Report): void {
  const warn = (where: object, field: string, message: string): void =>
    report(READING.unsupportedField, 'warning', sourceOf(where, field), message);
  if (spec.sessionPersistence === true)
    warn(spec, 'sessionPersistence', 'sessionPersistence is not obeyed: pods take turns, as with Istio');
  for (const target of spec.targetRefs)
    if (target.group !== '' || target.kind !== 'Service')
      warn(target, 'kind', `a target of kind ${target.kind} is not known, so the policy has no effect on it`);
}
