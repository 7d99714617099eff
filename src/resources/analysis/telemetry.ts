import { sourceOf } from '../../yaml/positions.js';
import { meshDefaultsOf } from '../istio/mesh-config.js';
import type { Telemetry } from '../istio/telemetry.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

/** Access logs that go nowhere: neither the Telemetry nor MeshConfig names a provider (istioctl's ProviderAnalyzer). */
export function analyzeTelemetry({ resources }: World, tell: Tell): void {
  const telemetries = ofKind<Telemetry>(resources, 'istio', 'Telemetry');
  if (telemetries.length === 0) return;
  if ((meshDefaultsOf(resources).defaultProviders?.accessLogging ?? []).length > 0) return;
  for (const telemetry of telemetries)
    for (const logging of telemetry.spec.accessLogging ?? [])
      if (logging.disabled !== true && (logging.providers ?? []).length === 0)
        tell('IST0157', 'warning', telemetry, sourceOf(logging), 'accessLogging without providers has no effect', {
          hint: 'providers: [ { name: envoy } ]',
        });
}
