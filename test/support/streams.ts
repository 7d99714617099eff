import { connect, type Socket } from 'node:net';
import { portOf } from './raw.js';

/** What a new connection of TCP heard first, which stays open; '' = it was closed before. */
export interface Heard {
  readonly text: string;
  readonly socket: Socket;
}

/** Connects to an address of a mesh, says something if anything is to be said, and waits for what is said first. */
export function listenAt(url: string, says: string | Buffer = ''): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect(portOf(url), '127.0.0.1');
    socket.on('data', (data) => resolve({ text: data.toString(), socket }));
    socket.on('error', () => {});
    socket.on('close', () => resolve({ text: '', socket }));
    if (says.length > 0) socket.write(says);
  });
}

/** How often each of them was heard, one connection after the other. */
export async function countHeard(times: number, hear: () => Promise<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < times; n++) {
    const name = await hear();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
