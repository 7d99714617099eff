import type { Resource } from '../resource.js';
import type { ServiceIntentions } from './defaults.js';

/** A config entry is named after its destination. */
export function destinationOf({ spec, name }: Resource<ServiceIntentions>): string {
  return spec.destination?.name ?? name;
}
