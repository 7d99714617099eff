import type { Exchange } from '../../protocol/api-types.js';
import type { Tap } from './state.js';

/** The records that the request list shows, newest first. */
export function visibleExchanges(tap: Tap): readonly Exchange[] {
  const matches = matcherOf(tap.typing ?? tap.filter);
  return (tap.frozen ?? tap.exchanges).filter((it) => (tap.allHops || isEntry(it)) && matches(it)).reverse();
}

/** The hop at which a request came into the mesh: the gateway, or a sidecar whose app began it. */
export function isEntry({ reporter, parentSpanId }: Exchange): boolean {
  return reporter.direction === 'gateway' || (reporter.direction === 'outbound' && parentSpanId === '');
}

/** Where the chosen record stands; the newest when nothing is chosen or it has left the list. */
export function selectedIndex(tap: Tap, visible: readonly Exchange[]): number {
  if (tap.selected === null) return 0;
  return Math.max(
    0,
    visible.findIndex(({ id }) => id === tap.selected),
  );
}

/** Plain substring over what a person sees of a request; a leading `!` turns it round. */
function matcherOf(filter: string): (exchange: Exchange) => boolean {
  const inverse = filter.startsWith('!');
  const wanted = (inverse ? filter.slice(1) : filter).trim().toLowerCase();
  if (wanted === '') return () => true;
  return (exchange) => textOf(exchange).includes(wanted) !== inverse;
}

function textOf({ source, destination, request, response, flags, requestId, security }: Exchange): string {
  const parts = [source.workload, destination.workload, destination.service, request.method, request.path];
  return [...parts, String(response.status), ...flags, requestId, security.mode].join(' ').toLowerCase();
}

/** Freezes what is on screen, or lets it run again. */
export function pauseToggled(tap: Tap): Tap {
  return { ...tap, frozen: tap.frozen === null ? tap.exchanges : null };
}
