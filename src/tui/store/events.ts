import type { Exchange, Incident, MeshEvent, Notice } from '../../protocol/api-types.js';
import { MAX_EXCHANGES, MAX_NOTICES, type Mesh, type State, type Tap } from './state.js';

/** What the control plane told, into the state. */
export function reduceEvent(state: State, event: MeshEvent): State {
  if (event.type === 'exchanges') return { ...state, tap: recorded(state.tap, event.exchanges, event.dropped) };
  return { ...state, mesh: meshAfter(state.mesh, event) };
}

function meshAfter(mesh: Mesh, event: Exclude<MeshEvent, { type: 'exchanges' }>): Mesh {
  switch (event.type) {
    case 'status':
      return { ...mesh, status: event.status };
    case 'workloads':
      return { ...mesh, workloads: event.workloads };
    case 'edges':
      return { ...mesh, edges: event.edges };
    case 'faults':
      return { ...mesh, faults: event.faults };
    case 'notice':
      return { ...mesh, notices: noticed(mesh.notices, event.notice) };
    case 'incidents':
      return { ...mesh, notices: event.incidents.map(noticeOf).reduce(noticed, mesh.notices) };
    default:
      // A newer control plane may tell things that this program does not know.
      return mesh;
  }
}

/** A new stream starts with the present state, so the same record may come twice. */
function recorded(tap: Tap, exchanges: readonly Exchange[], dropped: number): Tap {
  const known = new Set(tap.exchanges.map(({ id }) => id));
  const fresh = exchanges.filter(({ id }) => !known.has(id));
  return {
    ...tap,
    exchanges: [...tap.exchanges, ...fresh].slice(-MAX_EXCHANGES),
    dropped: tap.dropped + dropped,
  };
}

/** What a sidecar did on its own, as the events screen tells it. */
function noticeOf({ at, reporter, kind, text }: Incident): Notice {
  const bad = kind === 'ejected' || kind === 'opened' || kind === 'shed' || kind === 'spared';
  return { at, level: bad ? 'warning' : 'info', text: `${reporter}: ${text}` };
}

function noticed(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  const twice = notices.some(({ at, text }) => at === notice.at && text === notice.text);
  return twice ? notices : [...notices, notice].slice(-MAX_NOTICES);
}
