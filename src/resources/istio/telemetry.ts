import type { TelemetryPolicy } from '../../model/policies.js';
import { flag, list, number, openTable, type Read, table, text, unobeyed, unsupported } from '../../yaml/readers.js';
import { ofKind, type Resource } from '../resource.js';
import { labelSelector, passed } from '../words.js';
import { selectorOf } from './authorization.js';
import { elsewhere } from './authorization-policy.js';

/** What a Telemetry may hold (istio.io/api telemetry/v1), as it is read. Where records go (providers) says nothing here. */

const RECORDED = 'the sandbox records every request, since what it does not know it could not explain';
const TAGS = 'spans carry the tags of the sandbox only';

const providers = list(openTable({ name: text }));

const tracing = table({
  match: unsupported('sampling holds for calls in both directions'),
  providers,
  randomSamplingPercentage: number(0, 100),
  disableSpanReporting: flag,
  customTags: unsupported(TAGS),
  enableIstioTags: unsupported(TAGS),
  useRequestIdForTraceSampling: unsupported('sampling goes by the trace'),
});

type Tracing = Read<typeof tracing>;

const metrics = table({
  providers: passed,
  overrides: unsupported('metrics have the names and labels of Istio, all of them'),
  reportingInterval: passed,
});

const accessLogging = table({
  match: unsupported(RECORDED),
  providers,
  disabled: unobeyed(RECORDED, flag),
  filter: unsupported(RECORDED),
});

export const telemetry = table({
  selector: labelSelector,
  targetRef: elsewhere,
  targetRefs: elsewhere,
  tracing: list(tracing),
  metrics: list(metrics),
  accessLogging: list(accessLogging),
});

export type Telemetry = Read<typeof telemetry>;

/** Those that say how much is traced; of several entries the last that says a thing (istio `Telemetries.Tracing`). */
export function telemetryPoliciesOf(resources: readonly Resource[]): TelemetryPolicy[] {
  return ofKind<Telemetry>(resources, 'istio', 'Telemetry').flatMap((resource) => {
    const { selector, tracing: rules = [], targetRef, targetRefs } = resource.spec;
    const rule: Partial<Tracing> = Object.assign({}, ...rules);
    const samplePercent = rule.disableSpanReporting === true ? 0 : rule.randomSamplingPercentage;
    if (samplePercent === undefined || targetRef === true || targetRefs === true) return [];
    return [{ object: resource, selector: selectorOf(selector), created: resource.created, samplePercent }];
  });
}
