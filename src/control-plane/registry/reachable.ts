import { connect } from 'node:net';

/** A port that does not answer within this time counts as closed, ms. */
const PATIENCE_MS = 1_000;

/** Whether a TCP port accepts connections. Never rejects. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false));
  });
}
