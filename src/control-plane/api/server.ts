import { createServer, type Server } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Clock } from '../../platform/clock.js';
import { type ApiError, EVENTS_PATH, METRICS_PATH, OPERATIONS, type OperationName } from '../../protocol/api.js';
import type { MeshEvent } from '../../protocol/api-types.js';
import type { ControlPlane } from '../control-plane.js';
import { guard } from './guard.js';
import { type Handlers, handlersFor } from './handlers.js';
import { ApiProblem } from './problem.js';

/** How often edges (and status) go out to subscribers, ms. */
const EDGES_EVERY_MS = 500;
/** A subscriber that does not read is dropped beyond this, bytes. */
const SUBSCRIBER_BACKLOG = 8 * 1024 * 1024;

/** Serves the public API: every row of the operations table, the event stream and Prometheus text. */
export function serveApi(plane: ControlPlane, clock: Clock): Promise<Server> {
  const { api, apiToken, publishedApiPort } = plane.bootstrap;
  const app = express();
  app.disable('x-powered-by');
  app.use(guard(apiToken, [publishedApiPort, api.port]));
  addOperations(app, handlersFor(plane));
  app.get(EVENTS_PATH, (_request, response) => streamEvents(plane, clock, response));
  app.get(METRICS_PATH, (_request, response) => {
    response.type('text/plain; version=0.0.4').send(plane.prometheus.text());
  });
  app.use((request: Request) => {
    throw new ApiProblem(404, `there is no ${request.method} ${request.path}`);
  });
  app.use(onError);
  const server = createServer({ connectionsCheckingInterval: 500, headersTimeout: 5_000, requestTimeout: 30_000 }, app);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(api.port, api.host, () => resolve(server));
  });
}

function addOperations(app: express.Express, handlers: Handlers): void {
  for (const name of Object.keys(OPERATIONS) as OperationName[]) {
    const { method, path, bodyBytes = 1024 * 1024 } = OPERATIONS[name];
    const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
    app[verb](path, express.json({ limit: bodyBytes, strict: true }), async (request: Request, response: Response) => {
      const body = typeof request.body === 'object' && request.body !== null ? request.body : {};
      response.json(await handlers[name]({ ...request.query, ...body, ...request.params }));
    });
  }
}

function streamEvents(plane: ControlPlane, clock: Clock, response: Response): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event: MeshEvent): void => {
    if (response.writableLength > SUBSCRIBER_BACKLOG) response.destroy();
    else response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  send({ type: 'status', status: plane.status() });
  send({ type: 'workloads', workloads: plane.workloads() });
  send({ type: 'faults', faults: plane.faults() });
  for (const notice of plane.notices) send({ type: 'notice', notice });
  send({ type: 'incidents', incidents: plane.timeline.slice(-100) });
  send({ type: 'exchanges', exchanges: plane.exchanges.find({ limit: 200 }), dropped: 0 });
  const unsubscribe = plane.subscribe(send);
  let timer = clock.after(0, tick);
  function tick(): void {
    send({ type: 'edges', edges: plane.edges.stats() });
    send({ type: 'status', status: plane.status() });
    send({ type: 'workloads', workloads: plane.workloads() });
    send({ type: 'faults', faults: plane.faults() });
    timer = clock.after(EDGES_EVERY_MS, tick);
  }
  response.on('close', () => {
    timer.cancel();
    unsubscribe();
  });
}

function onError(error: unknown, _request: Request, response: Response, _next: NextFunction): void {
  const status = error instanceof ApiProblem ? error.status : statusOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const body: ApiError = { error: { message, hint: error instanceof ApiProblem ? error.hint : '' } };
  if (response.headersSent) response.destroy();
  else response.status(status).json(body);
}

/** body-parser's errors carry a status of their own. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : 500;
}
