import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Timeouts } from '../../examples/bookinfo/timeouts.js';
import { TIMEOUTS } from '../../examples/bookinfo/timeouts.js';

/** The real table, ten times faster: who gives up first stays the same. */
export const FAST: Timeouts = scaled(0.1);

/** Serves apps on ports of their own; `close` ends them all. */
export class Bed {
  readonly #servers: Server[] = [];

  async serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A service that answers with `answer` and remembers what it was asked. */
  async stub(answer: { status?: number; body?: unknown; afterMs?: number }): Promise<Stub> {
    const seen: IncomingMessage[] = [];
    const url = await this.serve((request, response) => {
      seen.push(request);
      const reply = (): void => {
        response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer.body ?? {}));
      };
      setTimeout(reply, answer.afterMs ?? 0);
    });
    return { url, seen };
  }

  close(): void {
    for (const server of this.#servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  }
}

export interface Stub {
  readonly url: string;
  readonly seen: readonly IncomingMessage[];
}

function scaled(factor: number): Timeouts {
  const { details, reviews, reviewsTries, productRatings, ratings, slowRating } = TIMEOUTS;
  return {
    details: details * factor,
    reviews: reviews * factor,
    reviewsTries,
    productRatings: productRatings * factor,
    ratings: { v2: ratings.v2 * factor, v3: ratings.v3 * factor },
    slowRating: slowRating * factor,
  };
}
