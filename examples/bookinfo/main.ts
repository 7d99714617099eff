import { createServer, type RequestListener, type Server } from 'node:http';
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
    HOSTNAME: podName = `${name}-${version}`,
  } = environment;
  switch (name) {
    case 'productpage':
      return productpage({ detailsUrl, reviewsUrl, ratingsUrl, timeouts: TIMEOUTS });
    case 'details':
      return details();
    case 'reviews':
      return reviews({ version, ratingsUrl, podName, timeouts: TIMEOUTS });
    case 'ratings':
      return ratings({ version, timeouts: TIMEOUTS });
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
  // Express would answer a broken request with a stack trace otherwise.
  app.set('env', 'production');
  const server = createServer(process.env['ACCESS_LOG'] === '1' ? logged(app) : app);
  server.on('error', (error) => {
    console.error(`${name} cannot listen: ${error.message}`);
    process.exit(1);
  });
  const port = portOf(process.env['PORT']);
  const ready = (): void => console.log(`${name} ${process.env['SERVICE_VERSION'] ?? 'v1'} listens on ${port}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(server));
  if (process.env['MESH_LIFELINE'] !== '1') return void server.listen(port, ready);
  // As a local process of a sandbox: reachable from this machine only, and when the keeper is gone, so are we.
  server.listen(port, '127.0.0.1', ready);
  const orphaned = (): never => process.exit(0);
  process.stdin.resume().on('end', orphaned).on('error', orphaned);
}

/** A line per request, so that one can count which request came how often. */
function logged(app: Express): RequestListener {
  return (request, response) => {
    console.log(`${request.method} ${request.url} ${request.headers['x-request-id'] ?? '-'}`);
    app(request, response);
  };
}

function portOf(text = '9080'): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  console.error(`PORT must be a port number, not ${JSON.stringify(text)}`);
  return process.exit(2);
}

function stop(server: Server): void {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), 1_000).unref();
}

main();
