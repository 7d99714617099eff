import type { RetrySettings } from '../model/app.js';
import { type Flavor, flavorText } from '../model/flavor.js';
import { policyOf } from '../model/retries.js';
import type { RetryPolicy } from '../model/route.js';

/**
 * A service's retry settings as the sidecar obeys them, or the mesh's own where it has none.
 */
export function retryPolicy(service: string, settings: RetrySettings | null, flavor: Flavor): RetryPolicy | null {
  if (settings === null) return defaultRetries(flavor);
  return policyOf(settings, `x-mesh.services.${service}.retries`);
}

/** What the mesh does where nothing is said of retries; null = nothing. */
export function defaultRetries(flavor: Flavor): RetryPolicy | null {
  const name = flavorText(flavor);
  return flavor.retries === null
    ? null
    : policyOf(flavor.retries, `${name[0]?.toUpperCase()}${name.slice(1)}'s default retry policy`);
}
