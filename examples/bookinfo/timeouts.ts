/**
 * How long each service waits for the one below, ms: the same teaching defects as in Istio's Bookinfo. productpage gives
 * reviews 3 s and two tries, while reviews v2 would wait 10 s for ratings: a slow rating breaks the page long before
 * reviews gives up. v3 gives up first.
 */
export interface Timeouts {
  readonly details: number;
  readonly reviews: number;
  readonly reviewsTries: number;
  /** productpage's own call for `/api/v1/products/0/ratings`. */
  readonly productRatings: number;
  readonly ratings: { readonly v2: number; readonly v3: number };
  /** How long the ratings version `v-delayed` keeps half of its callers waiting. */
  readonly slowRating: number;
}

export const TIMEOUTS: Timeouts = {
  details: 3_000,
  reviews: 3_000,
  reviewsTries: 2,
  productRatings: 3_000,
  ratings: { v2: 10_000, v3: 2_500 },
  slowRating: 7_000,
};
