import type { Server } from 'node:net';
import { PORTS } from '../model/names.js';
import type { HostPort } from '../protocol/bootstrap.js';
import { serveHttp } from './downstream.js';
import { NO_PEER } from './pipeline/call.js';
import { PLAIN } from './pipeline/exchange-record.js';
import { listen, type Sockets } from './servers.js';
import type { Sidecar } from './sidecar.js';

/** The north-south listener: plain HTTP from outside, through the outbound pipeline in its edge form. */
export async function serveGateway(sidecar: Sidecar, sockets: Sockets, { host, port }: HostPort): Promise<Server> {
  const { server } = await listen(host, port, sockets, (socket) => {
    serveHttp(
      sidecar.outbound,
      {
        socket,
        tcp: socket,
        direction: 'gateway',
        peer: { ...NO_PEER, remoteAddress: socket.remoteAddress ?? '' },
        security: PLAIN,
        port: PORTS.gateway,
        originalAddress: '',
        restoreHost: '',
        service: '',
      },
      sidecar.outbound.handler,
    );
  });
  return server;
}
