import type { Exchange } from '../model/exchange.js';
import { formatMs, type Output, printable } from './output.js';

/** One request as one line: who asked whom, how, what came of it. Status is a word or number, never colour alone. */
export function tapLine(exchange: Exchange, output: Output): string {
  const { source, destination, request, response, security, attempts, flags, reporter } = exchange;
  const time = new Date(exchange.startedAt).toISOString().slice(11, 23);
  const to = destination.workload || destination.service || '?';
  const lock = { mtls: 'mTLS ', tls: 'TLS  ', plain: 'PLAIN' }[security.mode];
  const ok = response.status > 0 && response.status < 500;
  const status = output.style(
    ok ? 'green' : 'red',
    (response.status === 0 ? 'cut' : String(response.status)).padEnd(3),
  );
  const tries =
    attempts.length > 1
      ? ` ${attempts.map((attempt) => (attempt.failure === null && attempt.status < 500 ? '✓' : '✗')).join('')}`
      : '';
  const extra = flags.length > 0 ? ` [${printable(flags.join(','))}]` : '';
  const what = exchange.kind === 'tcp' ? 'tcp' : `${request.method} ${request.path}`;
  const side = reporter.direction === 'inbound' ? '←' : '→';
  return `${output.style('dim', time)} ${status} ${lock} ${printable(source.workload).padEnd(14)} ${side} ${printable(to).padEnd(14)} ${printable(what).padEnd(28)} ${formatMs(exchange.durationMs).padStart(8)}${tries}${extra} ${output.style('dim', printable(exchange.requestId))}`;
}
