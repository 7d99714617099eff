import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import { ANNOTATIONS, isIstios } from '../istio/annotations.js';
import type { Deployment } from '../kubernetes/deployment.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/**
 * Annotations of Istio that it does not know, that stand where it does not look, or say what it cannot read (istioctl's
 * annotations.K8sAnalyzer). The template of a Deployment is looked at as the pods that are made of it.
 */
export function analyzeAnnotations({ resources }: World, tell: Tell): void {
  for (const kind of ['Namespace', 'Service', 'Deployment'])
    for (const object of ofKind(resources, 'kubernetes', kind))
      check({ object, kind, annotations: object.annotations, labels: object.labels }, tell);
  for (const object of ofKind<Deployment>(resources, 'kubernetes', 'Deployment')) {
    const { annotations = {}, labels = {} } = object.spec.template?.metadata ?? {};
    check({ object, kind: 'Pod', annotations, labels }, tell);
  }
}

/** What is annotated: a resource, or the pods of one. */
interface Annotated {
  readonly object: Resource;
  readonly kind: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

function check(annotated: Annotated, tell: Tell): void {
  for (const [name, value] of Object.entries(annotated.annotations))
    if (isIstios(name)) checkOne(annotated, name, value, tell);
}

const INJECT = 'sidecar.istio.io/inject';

function checkOne({ object, kind, annotations, labels }: Annotated, name: string, value: string, tell: Tell): void {
  const where = sourceOf(annotations, name);
  const known = ANNOTATIONS.get(name);
  if (known === undefined) {
    const close = nearest(name, ANNOTATIONS.keys());
    tell('IST0108', 'warning', object, where, `Istio knows no annotation ${name}, so it has no effect`, {
      hint: close === null ? 'leave it out' : `did you mean ${close}?`,
    });
    return;
  }
  // Who writes the label too knows, and means older releases.
  if (known.deprecated && !(name === INJECT && INJECT in labels))
    tell('IST0135', 'info', object, where, `the annotation ${name} is deprecated`, {
      hint: name === INJECT ? `a label of the pods: ${INJECT}: ${JSON.stringify(value)}` : 'leave it out',
    });
  if (known.on.includes('Any')) return;
  if (!known.on.includes(kind))
    tell(
      'IST0107',
      'warning',
      object,
      where,
      `${name} is looked at on ${known.on.join(', ')} only, and this is a ${kind}`,
      {
        hint:
          known.on.includes('Pod') && kind === 'Deployment'
            ? 'in spec.template.metadata.annotations'
            : `in the metadata of a ${known.on.join(' or ')}`,
      },
    );
  else if (known.value?.isValid(value) === false)
    tell('IST0125', 'warning', object, where, `${name} says ${JSON.stringify(value)}, which Istio cannot read`, {
      hint: known.value.hint,
    });
}
