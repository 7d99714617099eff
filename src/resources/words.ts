import { fqdn } from '../model/names.js';
import { anything, type Reader, reader, record, table, text, unsupported } from '../yaml/readers.js';
import { textShape } from '../yaml/shape.js';

/** Readers of what the dialects have in common. */

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** A duration as Go writes it, `1h30m`, `0.5s`, `250ms`: milliseconds, a negative one too. */
export const goDuration: Reader<number> = reader(
  textShape('a duration, such as 250ms, 1.5s or 1h30m'),
  (view, where, findings) => {
    const written = view.text(where);
    if (written === null) return undefined;
    const ms = durationMs(written);
    if (ms === null)
      findings.problem(
        view.source,
        `${where} must be a duration, and ${JSON.stringify(written)} is none`,
        'such as 250ms, 1.5s or 1h30m',
      );
    return ms ?? undefined;
  },
);

/** Null = it is none. */
export function durationMs(written: string): number | null {
  const match = /^(-?)((?:\d{1,9}(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(written);
  if (match === null) return written === '0' ? 0 : null;
  let ms = 0;
  for (const [, amount, unit] of (match[2] as string).matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    ms += Number(amount) * (UNIT_MS[unit as string] as number);
  return match[1] === '-' ? -ms : ms;
}

/** Labels that something must have (`matchLabels`). */
export const labels: Reader<Record<string, string>> = record(text);

/** Kubernetes' label selector, as far as equality goes. */
export const labelSelector = table({
  matchLabels: labels,
  matchExpressions: unsupported('only matchLabels are compared'),
});

/** The port of a destination. */
export const portSelector = table({ number: portNumber() });

export function portNumber(): Reader<number> {
  return reader({ kind: 'number', whole: true, least: 1, most: 65_535 }, (view, where, findings) => {
    const port = view.number(where);
    if (port !== null && Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
    if (port !== null) findings.problem(view.source, `${where} must be a port from 1 to 65535`);
    return undefined;
  });
}

/** What has no bearing on a sandbox and is let pass in silence: statistics, status, bookkeeping. */
export const passed = anything;

/** A host as Istio reads it: a name without a dot is a service of the resource's own namespace. */
export function fullHost(host: string, namespace: string): string {
  return host.includes('.') || host.startsWith('*') || host.includes(':') ? host : fqdn(host, namespace);
}

/** Istio's `exportTo`: null = all namespaces. */
export function visibleTo(exportTo: readonly string[] | undefined, namespace: string): string[] | null {
  if (exportTo === undefined || exportTo.length === 0 || exportTo.includes('*')) return null;
  return exportTo.filter((entry) => entry !== '~').map((entry) => (entry === '.' ? namespace : entry));
}
