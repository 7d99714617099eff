import type { MeshClient } from '../client/mesh-client.js';
import type { Action } from './store/actions.js';
import type { Effect } from './store/effects.js';

export type MeshCalls = Pick<MeshClient, 'call'>;

/** Asks the mesh for what a key asked for; a refusal is a message on screen, never the end of it. */
export async function performCall(
  client: MeshCalls,
  { doing, done, call }: Extract<Effect, { kind: 'call' }>,
  dispatch: (action: Action) => void,
): Promise<void> {
  dispatch({ type: 'message', message: { level: 'info', text: `${doing}...` } });
  try {
    await client.call(call.name, call.request);
    dispatch({ type: 'message', message: { level: 'info', text: done } });
  } catch (error) {
    dispatch({ type: 'message', message: { level: 'error', text: `${doing} failed: ${reasonOf(error)}` } });
  }
}

/** Both halves of a request's story; they are shown together. */
export async function loadTrace(
  client: MeshCalls,
  requestId: string,
  dispatch: (action: Action) => void,
): Promise<void> {
  const id = { id: requestId };
  try {
    const [trace, explanation] = await Promise.all([client.call('trace', id), client.call('explain', id)]);
    dispatch({ type: 'trace-loaded', trace, explanation });
  } catch (error) {
    dispatch({ type: 'trace-failed', requestId, reason: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
