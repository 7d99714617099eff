import { READING } from '../../model/finding.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Report, Resource } from '../resource.js';
import { isHttp, WAYPOINT } from './attachments.js';
import type { BackendTlsPolicy } from './backend-tls.js';
import type { BackendTrafficPolicy } from './backend-traffic.js';
import type { Gateway } from './others.js';

const PROTOCOLS = ['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP', 'HBONE'];
const MOST_LISTENERS = 64;

export function checkGateway({ spec }: Resource<Gateway>, report: Report): void {
  const { listeners } = spec;
  const names = new Set<string>();
  const plain = listeners.find(({ protocol }) => protocol === 'HTTP');
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
    else if (protocol === 'HTTP' && listener.port !== plain?.port)
      unobeyed(
        'port',
        `the sandbox's gateway has one port, where routes of ${plain?.name} and of ${name} are one list for each host`,
      );
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

const MOST_TARGETS = 16;
const MOST_CERTIFICATES = 8;
const MOST_NAMES = 5;

/** What its CRD demands, and what of it nobody looks at. */
export function checkBackendTlsPolicy({ spec }: Resource<BackendTlsPolicy>, report: Report): void {
  const { validation, targetRefs } = spec;
  const { caCertificateRefs = [], wellKnownCACertificates, subjectAltNames = [] } = validation;
  const refuse = (where: object, field: string, message: string, hint = ''): void =>
    report(READING.schema, 'error', sourceOf(where, field), message, hint);
  const bounded = (where: object, field: string, all: readonly unknown[], most: number, least = 0): void => {
    if (all.length < least || all.length > most)
      refuse(where, field, `${field} has from ${least} to ${most} entries, and these are ${all.length}`);
  };
  bounded(spec, 'targetRefs', targetRefs, MOST_TARGETS, 1);
  bounded(validation, 'caCertificateRefs', caCertificateRefs, MOST_CERTIFICATES);
  bounded(validation, 'subjectAltNames', subjectAltNames, MOST_NAMES);
  if (caCertificateRefs.length > 0 === (wellKnownCACertificates !== undefined))
    refuse(
      spec,
      'validation',
      'validation has caCertificateRefs or wellKnownCACertificates, one of them',
      'wellKnownCACertificates: System',
    );
  for (const one of subjectAltNames) {
    const [own, other] = one.type === 'URI' ? (['uri', 'hostname'] as const) : (['hostname', 'uri'] as const);
    if ((one[own] ?? '') === '') refuse(one, 'type', `a name of type ${one.type} has ${own}`, `${own}: …`);
    if ((one[other] ?? '') !== '') refuse(one, other, `a name of type ${one.type} has no ${other}`, 'leave it out');
  }
  for (const [i, ref] of targetRefs.entries()) {
    const same = targetRefs
      .slice(0, i)
      .filter(({ group, kind, name }) => group === ref.group && kind === ref.kind && name === ref.name);
    const whole = ref.sectionName === undefined || same.some(({ sectionName }) => sectionName === undefined);
    if (same.length > 0 && (whole || same.some(({ sectionName }) => sectionName === ref.sectionName)))
      refuse(ref, 'name', `${ref.kind} ${ref.name} is a target twice`, 'a sectionName of its own for each');
  }
  if (caCertificateRefs.length > 1)
    report(
      READING.unsupportedField,
      'warning',
      sourceOf(caCertificateRefs[1] ?? validation, 'name'),
      'the certificates of the first reference alone are trusted, as with Istio',
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
