import express, { type Express, type Request } from 'express';
import { type Answer, getJson, propagated } from './call.js';
import { page } from './page.js';
import type { Timeouts } from './timeouts.js';

export interface ProductpageParts {
  readonly detailsUrl: string;
  readonly reviewsUrl: string;
  readonly ratingsUrl: string;
  readonly timeouts: Timeouts;
}

const PRODUCTS = [
  {
    id: 0,
    title: 'The Comedy of Errors',
    descriptionHtml:
      'One of Shakespeare’s early plays: two sets of twins, separated at birth, are in the same town on the same day, and everybody is taken for somebody else.',
  },
];

/** The product page: HTML for people, JSON for programs. The page is 200 even when a service below fails. */
export function productpage(parts: ProductpageParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.urlencoded({ extended: false }));
  app.get('/health', (_request, response) => void response.send('Product page is healthy'));
  app.get('/', (_request, response) => response.redirect(302, '/productpage'));
  app.get('/productpage', async (request, response) => {
    const user = userOf(request);
    const headers = headersOf(request, user);
    const [details, reviews] = await Promise.all([getDetails(parts, '0', headers), getReviews(parts, '0', headers)]);
    response.type('html').send(page({ product: PRODUCTS[0] as (typeof PRODUCTS)[0], details, reviews, user }));
  });
  app.post('/login', (request, response) => {
    const name = String((request.body as { username?: string } | undefined)?.username ?? '')
      .replace(/[^\w.@-]/g, '')
      .slice(0, 64);
    response.setHeader('set-cookie', `session=${name}; Path=/; HttpOnly; SameSite=Lax`);
    response.redirect(303, '/productpage');
  });
  app.get('/logout', (_request, response) => {
    response.setHeader('set-cookie', 'session=; Path=/; Max-Age=0');
    response.redirect(303, '/productpage');
  });
  app.get('/api/v1/products', (_request, response) => void response.json(PRODUCTS));
  app.get('/api/v1/products/:id', async (request, response) => {
    const answer = await getDetails(parts, request.params.id, headersOf(request, userOf(request)));
    pass(response, answer, 'product details');
  });
  app.get('/api/v1/products/:id/reviews', async (request, response) => {
    const answer = await getReviews(parts, request.params.id, headersOf(request, userOf(request)));
    pass(response, answer, 'product reviews');
  });
  app.get('/api/v1/products/:id/ratings', async (request, response) => {
    const url = `${parts.ratingsUrl}/ratings/${encodeURIComponent(request.params.id)}`;
    const answer = await getJson(url, headersOf(request, userOf(request)), parts.timeouts.productRatings);
    pass(response, answer, 'product ratings');
  });
  return app;
}

function pass(response: express.Response, answer: Answer, what: string): void {
  if (answer.status === 200) response.json(answer.body);
  else
    response
      .status(answer.status === 0 ? 500 : answer.status)
      .json({ error: `Sorry, ${what} are currently unavailable for this book.` });
}

function userOf(request: Request): string {
  return /(?:^|;\s*)session=([\w.@-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
}

/** A signed-in user is known below as `end-user`: what Bookinfo's routing examples match. */
function headersOf(request: Request, user: string): Record<string, string> {
  const headers = propagated(request.headers);
  return user === '' ? headers : { ...headers, 'end-user': user };
}

function getDetails(
  { detailsUrl, timeouts }: ProductpageParts,
  id: string,
  headers: Record<string, string>,
): Promise<Answer> {
  return getJson(`${detailsUrl}/details/${encodeURIComponent(id)}`, headers, timeouts.details);
}

/** Two tries, as in the original: retries in the app multiply with those of the mesh. */
async function getReviews(
  { reviewsUrl, timeouts }: ProductpageParts,
  id: string,
  headers: Record<string, string>,
): Promise<Answer> {
  let answer: Answer = { status: 0, body: null };
  for (let n = 0; n < timeouts.reviewsTries; n++) {
    answer = await getJson(`${reviewsUrl}/reviews/${encodeURIComponent(id)}`, headers, timeouts.reviews);
    if (answer.status === 200) return answer;
  }
  return answer;
}
