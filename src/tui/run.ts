import type { MeshClient } from '../client/mesh-client.js';
import type { Clock } from '../platform/clock.js';

export async function runTui(_: {
  client: MeshClient;
  sandboxName: string;
  owned: boolean;
  clock: Clock;
  color?: boolean;
}): Promise<'detach' | 'down'> {
  return 'detach';
}
