import type { Line, Size } from '../frame.js';
import { SCREENS, type State } from '../store/state.js';
import { rate } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { spread, truncate } from '../widgets/fit.js';

/** Two lines that never change their place: which sandbox, and what is switched on in it. */
export function header(state: State, { cols }: Size, theme: Theme): readonly Line[] {
  return [
    spread(nameLine(state, theme), readiness(state, theme), cols, theme),
    truncate(switches(state, theme), cols, theme),
  ];
}

function nameLine({ sandboxName, mesh: { status } }: State, { span }: Theme): Line {
  const name = span(` ${sandboxName} `, 'title');
  if (status === null) return [name];
  return [
    name,
    span(` ${status.runtime} `, 'dim'),
    span(` ${status.gatewayUrl} `, 'accent'),
    span(` v${status.version}`, 'dim'),
  ];
}

function readiness({ mesh: { status } }: State, { span, glyphs }: Theme): Line {
  if (status === null) return [span('connecting ', 'warn')];
  const { ready, total } = status.workloads;
  return status.ready
    ? [span(`${glyphs.ok} ready ${ready}/${total} `, 'good')]
    : [span(`${glyphs.off} not ready ${ready}/${total} `, 'warn')];
}

function switches({ mesh: { status, faults } }: State, { span, glyphs }: Theme): Line {
  if (status === null) return [];
  const { load, features } = status;
  const enabled = faults.filter((fault) => fault.enabled).length;
  const failed = load.failed > 0 ? span(` (${load.failed} failed)`, 'warn') : span('');
  return [
    span(` load ${rate(load.rps)}/s`),
    failed,
    span('   '),
    features.retries ? span(`retries on ${glyphs.ok}`, 'good') : span(`retries OFF ${glyphs.warn}`, 'warn'),
    span('   '),
    span(
      `mTLS ${features.mtls}`,
      features.mtls === 'strict' ? 'good' : features.mtls === 'permissive' ? 'accent' : 'warn',
    ),
    span('   '),
    enabled > 0 ? span(`faults ${enabled} active ${glyphs.bad}`, 'bad') : span('no faults', 'dim'),
  ];
}

/** The screens by number, the present one marked by brackets as well as by colour. */
export function tabs({ screen }: State, { cols }: Size, theme: Theme): Line {
  const names = SCREENS.map((name, index) =>
    name === screen ? theme.span(`[${index + 1} ${name}]`, 'strong') : theme.span(` ${index + 1} ${name} `, 'dim'),
  );
  return truncate(names, cols, theme);
}
