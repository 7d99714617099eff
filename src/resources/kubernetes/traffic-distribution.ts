import type { ServiceSpec } from '../../model/app.js';
import { ofKind, type Resource } from '../resource.js';

const ANNOTATION = 'networking.istio.io/traffic-distribution';

type Near = NonNullable<ServiceSpec['prefersNear']>;

/** A node lies in one sub-zone, and there are none here. */
const NEAR: ReadonlyMap<string, Near> = new Map([
  ['preferclose', 'zone'],
  ['prefersamezone', 'zone'],
  ['prefersamenode', 'subzone'],
]);

/**
 * Where the endpoints of a service are that are asked first: as its own field says, else Istio's annotation of it, else
 * that of its namespace (istio pilot/pkg/model/service.go, GetTrafficDistribution). Null = nowhere in particular.
 */
export function prefersNear(
  field: string | undefined,
  { namespace, annotations }: Resource,
  resources: readonly Resource[],
): Near | null {
  const own = NEAR.get(field?.toLowerCase() ?? '');
  if (own !== undefined) return own;
  const said =
    annotations[ANNOTATION] ??
    ofKind(resources, 'kubernetes', 'Namespace').find(({ name }) => name === namespace)?.annotations[ANNOTATION];
  return NEAR.get(said?.toLowerCase() ?? '') ?? null;
}
