import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';

/** What an app of the fixture says of the request that it got. */
export interface Echo {
  readonly pod: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Lower-case names; lines of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Requests by `uuid`, for apps that fail at first. */
const tries = new Map<string, number>();

/** Every request that an app got, newest last. */
export const seen: Echo[] = [];

/**
 * The conformance suite's echo server, as far as its tests ask for it: `delay` (ms), `responseCode`, `reset`, and
 * `succeedAfter` so many of the same `uuid` failed.
 */
export function echo(pod: string): Server {
  const server = createServer(answering(pod));
  // A connection that is upgraded says back what it hears, once.
  return server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.once('data', (data) => socket.end(data));
  });
}

function answering(pod: string): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    const said: Echo = {
      pod,
      method: request.method ?? '',
      path: request.url ?? '',
      host: request.headers.host ?? '',
      headers: Object.fromEntries(
        Object.entries(request.headersDistinct).map(([name, all]) => [name, (all ?? []).join(',')]),
      ),
    };
    seen.push(said);
    const query = new URL(said.path, 'http://x').searchParams;
    const uuid = query.get('uuid') ?? '';
    const before = tries.get(uuid) ?? 0;
    tries.set(uuid, before + 1);
    const failing = !query.has('succeedAfter') || before < Number(query.get('succeedAfter'));
    request.resume();
    if (failing && query.has('reset')) return void request.socket.destroy();
    const status = failing ? Number(query.get('responseCode') ?? 200) : 200;
    const answer = (): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'x-from-app': 'old', 'x-remove-me': 'old' });
      response.end(JSON.stringify(said));
    };
    if (failing && query.has('delay')) setTimeout(answer, Number(query.get('delay')));
    else answer();
  };
}
