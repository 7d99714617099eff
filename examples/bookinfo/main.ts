import { createServer, type Server } from 'node:http';
import type { Express } from 'express';
import { details } from './details.js';
import { productpage } from './productpage.js';
import { ratings } from './ratings.js';
import { reviews } from './reviews.js';
import { TIMEOUTS } from './timeouts.js';

/** Bookinfo's services, unaware of any mesh: `node samples.cjs productpage|details|reviews|ratings`. */
function serviceOf(name: string, environment: NodeJS.ProcessEnv): Express | null {
  const {
    SERVICE_VERSION: version = 'v1',
    DETAILS_URL: detailsUrl = 'http://details:9080',
    REVIEWS_URL: reviewsUrl = 'http://reviews:9080',
    RATINGS_URL: ratingsUrl = 'http://ratings:9080',
  } = environment;
  switch (name) {
    case 'productpage':
      return productpage({ detailsUrl, reviewsUrl, ratingsUrl, timeouts: TIMEOUTS });
    case 'details':
      return details();
    case 'reviews':
      return reviews({ version, ratingsUrl, timeouts: TIMEOUTS });
    case 'ratings':
      return ratings(version);
    default:
      return null;
  }
}

function main(): void {
  const name = process.argv[2] ?? '';
  const app = serviceOf(name, process.env);
  if (app === null) {
    console.error(`unknown service ${JSON.stringify(name)}; there are: productpage, details, reviews, ratings`);
    process.exit(2);
  }
  const port = Number(process.env['PORT'] ?? 9080);
  const server = createServer(app).listen(port, () =>
    console.log(`${name} ${process.env['SERVICE_VERSION'] ?? 'v1'} listens on ${port}`),
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(server));
  // As a local process of a sandbox: when its keeper is gone, so are we.
  if (process.env['MESH_LIFELINE'] === '1') process.stdin.resume().on('end', () => process.exit(0));
}

function stop(server: Server): void {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), 1_000).unref();
}

main();
