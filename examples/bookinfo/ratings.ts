import express, { type Express } from 'express';

/** Stars by reviewer, as Istio's Bookinfo has them. */
const STARS: Record<string, number> = { Reviewer1: 5, Reviewer2: 4 };

/** How often the versions `v-unavailable` and `v-unhealthy` turn from well to ill and back, ms. */
const TURNS = { unavailable: 60_000, unhealthy: 15 * 60_000 } as const;

/** Products whose ratings are kept; the oldest go first, so that nobody can fill the memory. */
const KEPT = 1_000;

export interface RatingsParts {
  /** May ask for trouble: `v-faulty`, `v-delayed`, `v-unavailable`, `v-unhealthy`. */
  readonly version: string;
  readonly timeouts: { readonly slowRating: number };
  /** Chance in [0, 1). */
  readonly random?: () => number;
}

/** The ratings service. */
export function ratings({ version, timeouts, random = Math.random }: RatingsParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json());
  const given = new Map<number, Record<string, number>>();
  const health = healthOf(version);

  app.get('/health', (_request, response) => {
    const healthy = version !== 'v-unhealthy' || health.well;
    response.status(healthy ? 200 : 500).json({ status: healthy ? 'Ratings is healthy' : 'Ratings is not healthy' });
  });
  app.get('/ratings/:productId', (request, response) => {
    const id = Number(request.params.productId);
    if (!Number.isInteger(id)) return void response.status(400).json({ error: 'please provide numeric product ID' });
    const answer = (): void => void response.json({ id, ratings: given.get(id) ?? STARS });
    const unlucky = random() < 0.5;
    if (!health.well || (version === 'v-faulty' && unlucky))
      response.status(503).json({ error: 'Service unavailable' });
    else if (version === 'v-delayed' && unlucky) setTimeout(answer, timeouts.slowRating);
    else answer();
  });
  app.post('/ratings/:productId', (request, response) => {
    const id = Number(request.params.productId);
    if (!Number.isInteger(id)) return void response.status(400).json({ error: 'please provide numeric product ID' });
    if (!areRatings(request.body))
      return void response.status(400).json({ error: 'please provide valid ratings JSON' });
    given.delete(id);
    given.set(id, request.body);
    for (const oldest of given.keys()) if (given.size > KEPT) given.delete(oldest);
    response.json({ id, ratings: request.body });
  });
  return app;
}

/** Turns between well and ill when the version asks for it. */
function healthOf(version: string): { readonly well: boolean } {
  const health = { well: true };
  const period = { 'v-unavailable': TURNS.unavailable, 'v-unhealthy': TURNS.unhealthy }[version];
  if (period !== undefined) setInterval(() => (health.well = !health.well), period).unref();
  return health;
}

function areRatings(body: unknown): body is Record<string, number> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  return Object.values(body).every((stars) => Number.isInteger(stars) && stars >= 0 && stars <= 5);
}
