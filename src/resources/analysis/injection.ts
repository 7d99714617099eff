import { sourceOf } from '../../yaml/positions.js';
import type { Deployment } from '../kubernetes/deployment.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

type Labels = Readonly<Record<string, string>>;

/**
 * `image: auto` stands for the sidecar's image, which injection writes: without injection there is no such image
 * (istioctl's injection.ImageAutoAnalyzer, by the webhooks that Istio's installations have).
 */
export function analyzeInjection({ resources }: World, tell: Tell): void {
  const namespaces = new Map(
    ofKind(resources, 'kubernetes', 'Namespace').map(({ name, labels }) => [name, labels as Labels]),
  );
  for (const deployment of ofKind<Deployment>(resources, 'kubernetes', 'Deployment')) {
    const { metadata, spec } = deployment.spec.template ?? {};
    const container = (spec?.containers ?? []).find(({ name, image }) => name === 'istio-proxy' && image === 'auto');
    if (container === undefined || mayBeInjected(namespaces.get(deployment.namespace), metadata?.labels ?? {}))
      continue;
    tell(
      'IST0146',
      'warning',
      deployment,
      sourceOf(container, 'image'),
      'image: auto is replaced when a sidecar is injected, and nothing asks for one: its pods never start',
      { hint: "a label of the pods: sidecar.istio.io/inject: 'true'" },
    );
  }
}

/** Labels of a namespace that no file holds are not known: they may ask for it. */
function mayBeInjected(namespace: Labels | undefined, pod: Labels): boolean {
  const inject = pod['sidecar.istio.io/inject'];
  if (inject === 'false') return false;
  if (namespace === undefined) return true;
  const [enabled, revision] = [namespace['istio-injection'], namespace['istio.io/rev']];
  if (enabled !== undefined) return enabled === 'enabled';
  return revision !== undefined || inject === 'true' || pod['istio.io/rev'] !== undefined;
}
