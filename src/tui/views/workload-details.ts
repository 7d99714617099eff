import type { WorkloadView } from '../../protocol/api-types.js';
import type { Line } from '../frame.js';
import { duration } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { wrap } from '../widgets/wrap.js';
import { configSpan, sidecarSpan } from './words.js';

/** A workload in full words. */
export function workloadDetails(workload: WorkloadView, now: number, width: number, theme: Theme): readonly Line[] {
  const { span } = theme;
  const { name, app, version, role, spiffeId, dnsNames, address, certificate, nack, listenPorts } = workload;
  const ports = Object.entries(listenPorts).map(([what, port]) => `${what} ${port}`);
  return [
    [span(name, 'strong'), span(`  ${role === 'gateway' ? 'gateway' : `${app} ${version}`}`, 'dim')],
    [span('sidecar '), sidecarSpan(workload, theme), span('  config '), configSpan(workload, theme)],
    ...wrap(`identity ${spiffeId || 'none: it stands outside the mesh'}`, width, theme, 'plain', 2),
    ...dnsNames.flatMap((dnsName) => wrap(`identity ${dnsName}`, width, theme, 'plain', 2)),
    ...wrap(`address ${address}`, width, theme),
    ...(certificate === null
      ? role === 'none'
        ? []
        : [[span('no certificate yet', 'warn')]]
      : wrap(
          `certificate ${certificate.serial}, ${duration(certificate.notAfter - now)} left`,
          width,
          theme,
          'plain',
          2,
        )),
    ...(nack === null ? [] : wrap(`refused: ${nack}`, width, theme, 'bad', 2)),
    ...(ports.length === 0 ? [] : wrap(`listens on ${ports.join(', ')}`, width, theme, 'dim', 2)),
  ];
}
