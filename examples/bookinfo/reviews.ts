import express, { type Express } from 'express';
import { type Answer, getJson, propagated } from './call.js';
import type { Timeouts } from './timeouts.js';

const REVIEWS = [
  { reviewer: 'Reviewer1', text: 'An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!' },
  {
    reviewer: 'Reviewer2',
    text: 'Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.',
  },
];

export interface ReviewsParts {
  /** v1: no stars; v2: black stars; v3: red stars. */
  readonly version: string;
  readonly ratingsUrl: string;
  /** Name of the instance; shown on the page. */
  readonly podName: string;
  readonly timeouts: Timeouts;
}

/** The reviews service in its three versions. */
export function reviews({ version, ratingsUrl, podName, timeouts }: ReviewsParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/health', (_request, response) => void response.json({ status: 'Reviews is healthy' }));
  app.get('/reviews/:productId', async (request, response) => {
    const { productId } = request.params;
    const color = version === 'v2' ? 'black' : version === 'v3' ? 'red' : null;
    const stars =
      color === null
        ? null
        : await getJson(
            `${ratingsUrl}/ratings/${encodeURIComponent(productId)}`,
            propagated(request.headers),
            version === 'v2' ? timeouts.ratings.v2 : timeouts.ratings.v3,
          );
    response.json({
      id: productId,
      podname: podName,
      clustername: null,
      // Not in the original: without ratings the stars no longer tell v2 from v3.
      version,
      reviews: REVIEWS.map((review) =>
        stars === null ? review : { ...review, rating: ratingOf(stars, review.reviewer, color) },
      ),
    });
  });
  return app;
}

function ratingOf(answer: Answer, reviewer: string, color: string | null): object {
  const found =
    answer.status === 200 ? (answer.body as { ratings?: Record<string, unknown> | null } | null)?.ratings : undefined;
  const stars = found?.[reviewer];
  return typeof stars !== 'number' ? { error: 'Ratings service is currently unavailable' } : { stars, color };
}
