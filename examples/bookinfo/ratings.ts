import express, { type Express } from 'express';

/** Stars by reviewer, as Istio's Bookinfo has them. */
const STARS: Record<string, number> = { Reviewer1: 5, Reviewer2: 4 };

/** The ratings service. `version` may ask for trouble: `v-faulty`, `v-delayed`, `v-unavailable`, `v-unhealthy`. */
export function ratings(version: string): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json());
  const given = new Map<string, Record<string, number>>();
  let healthy = true;
  let available = true;
  if (version === 'v-unhealthy') setInterval(() => (healthy = !healthy), 15 * 60_000).unref();
  if (version === 'v-unavailable') setInterval(() => (available = !available), 60_000).unref();

  app.get('/health', (_request, response) => {
    response.status(healthy ? 200 : 500).json({ status: healthy ? 'Ratings is healthy' : 'Ratings is not healthy' });
  });
  app.get('/ratings/:productId', (request, response) => {
    const { productId } = request.params;
    const answer = (): void =>
      void response.json({ id: Number(productId) || 0, ratings: given.get(productId) ?? STARS });
    if (version === 'v-faulty' && Math.random() < 0.5) response.status(503).json({ error: 'Service unavailable' });
    else if (version === 'v-delayed' && Math.random() < 0.5) setTimeout(answer, 7_000);
    else if (!available || !healthy) response.status(503).json({ error: 'Service unavailable' });
    else answer();
  });
  app.post('/ratings/:productId', (request, response) => {
    const body: unknown = request.body;
    if (typeof body !== 'object' || body === null) {
      response.status(400).json({ error: 'please provide valid ratings JSON' });
      return;
    }
    given.set(request.params.productId, body as Record<string, number>);
    response.json({ id: Number(request.params.productId) || 0, ratings: body });
  });
  return app;
}
