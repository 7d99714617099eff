import type { Attempt, Security } from '../../model/exchange.js';
import type { EdgeStats, Exchange, WorkloadView } from '../../protocol/api-types.js';
import type { Line, Span, Style } from '../frame.js';
import { percent } from '../text/numbers.js';
import type { Theme } from '../theme.js';

/** States as word or symbol plus colour: nobody has to tell red from green. */

export function statusSpan({ response, failure, kind }: Exchange, { glyphs, span }: Theme): Span {
  if (failure === null && kind === 'tcp') return span(`tcp ${glyphs.ok}`, 'good');
  const { status } = response;
  if (status === 0) return span(`cut ${glyphs.bad}`, 'bad');
  if (status >= 500) return span(`${status} ${glyphs.bad}`, 'bad');
  return status >= 400 ? span(`${status} ${glyphs.warn}`, 'warn') : span(`${status} ${glyphs.ok}`, 'good');
}

/** One dot per try, as many as there is room for; the last ones tell how it ended. */
export function attemptDots(attempts: readonly Attempt[], theme: Theme, room = 6): Line {
  if (attempts.length === 0) return [theme.span('-', 'dim')];
  const shown = attempts.slice(-room);
  const dots = shown.map((attempt) =>
    isGood(attempt) ? theme.span(theme.glyphs.ok, 'good') : theme.span(theme.glyphs.bad, 'bad'),
  );
  return shown.length < attempts.length ? [theme.span('+', 'dim'), ...dots.slice(1)] : dots;
}

export function isGood({ failure, status }: Attempt): boolean {
  return failure === null && status < 500;
}

/** Encryption is always said, never left to be guessed from a missing lock. */
export function securityOf(mode: Security['mode'], { glyphs, span }: Theme): Span {
  if (mode === 'tls') return span(`TLS ${glyphs.ok}`, 'good');
  return mode === 'mtls' ? span(`mTLS ${glyphs.ok}`, 'good') : span(`PLAIN ${glyphs.warn}`, 'warn');
}

export function edgeSecurity({ mtlsShare, rps }: EdgeStats, theme: Theme): Span {
  if (rps === 0) return theme.span('no calls', 'dim');
  if (mtlsShare === null) return theme.span('no answer', 'bad');
  if (mtlsShare >= 1) return securityOf('mtls', theme);
  if (mtlsShare <= 0) return securityOf('plain', theme);
  return theme.span(`mTLS ${percent(mtlsShare)}`, 'warn');
}

export function shareStyle(share: number | null): Style {
  if (share === null) return 'dim';
  if (share >= 0.999) return 'good';
  return share >= 0.95 ? 'warn' : 'bad';
}

export function sidecarSpan({ sidecar }: WorkloadView, { glyphs, span }: Theme): Span {
  if (sidecar === 'connected') return span(`${glyphs.ok} up`, 'good');
  if (sidecar === 'none') return span('none', 'dim');
  return sidecar === 'waiting' ? span(`${glyphs.off} wait`, 'warn') : span(`${glyphs.bad} lost`, 'bad');
}

/** Version obeyed, and what stands between it and the one that is meant. */
export function configSpan({ role, ackedVersion, wantedVersion, nack }: WorkloadView, { glyphs, span }: Theme): Span {
  if (role === 'none') return span('-', 'dim');
  if (nack !== null) return span('refused', 'bad');
  if (ackedVersion >= wantedVersion) return span(`v${ackedVersion} ${glyphs.ok}`, 'good');
  return span(`v${ackedVersion}${glyphs.arrow}v${wantedVersion}`, 'warn');
}
