import { sourceOf } from '../../yaml/positions.js';
import type { Deployment } from '../kubernetes/deployment.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

/** The user that sidecars run as, and whose traffic they let pass. */
const PROXY_USER = '1337';

/** What of a team's manifests would keep a sidecar from doing its work in a cluster. */
export function analyzeManifests({ resources }: World, tell: Tell): void {
  for (const namespace of ofKind(resources, 'kubernetes', 'Namespace')) {
    const labels = ['istio-injection', 'istio.io/rev'].filter((label) => label in namespace.labels);
    if (labels.length > 1)
      tell(
        'IST0123',
        'warning',
        namespace,
        null,
        `the namespace ${namespace.name} has ${labels.join(' and ')}: the first counts, and the other says nothing`,
        { hint: `leave out one of ${labels.join(' and ')}` },
      );
  }
  for (const deployment of ofKind<Deployment>(resources, 'kubernetes', 'Deployment')) {
    const pod = deployment.spec.template?.spec;
    const contexts = [pod?.securityContext, ...(pod?.containers ?? []).map(({ securityContext }) => securityContext)];
    for (const context of contexts)
      if (context?.runAsUser === PROXY_USER)
        tell(
          'IST0144',
          'warning',
          deployment,
          sourceOf(context, 'runAsUser'),
          `user ${PROXY_USER} is the sidecar's own: what this app sends is not intercepted`,
          { hint: 'runAsUser: 1000' },
        );
  }
}
