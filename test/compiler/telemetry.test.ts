import { describe, expect, it } from 'vitest';
import { compile, GATEWAY } from '../../src/compiler/compile.js';
import { samplingOf } from '../../src/compiler/telemetry.js';
import type { MeshConfig } from '../../src/model/mesh-config.js';
import { NO_POLICIES, type Policies, type TelemetryPolicy } from '../../src/model/policies.js';
import { appOf, workload } from '../support/apps.js';
import { meshConfigOf } from '../support/mesh-config.js';

const meshOf = (policies: Policies): MeshConfig => meshConfigOf(appOf([workload('web')]), { policies });

function policy(namespace: string, samplePercent: number, selector: TelemetryPolicy['selector'] = null, created = 0) {
  const source = { file: 't.yaml', line: 1, column: 1 };
  return { object: { kind: 'Telemetry', namespace, name: 't', source }, selector, created, samplePercent };
}

describe('how much of what a workload begins is traced', () => {
  const reviews = { namespace: 'default', labels: { app: 'reviews' } };
  const [mesh, namespace, own] = [
    policy('istio-system', 1),
    policy('default', 2),
    policy('default', 3, { app: 'reviews' }),
  ];

  it('is what the narrowest policy says', () => {
    expect(samplingOf([mesh, namespace, own], reviews)).toEqual({ samplePercent: 3 });
    expect(samplingOf([mesh, namespace], reviews)).toEqual({ samplePercent: 2 });
    expect(samplingOf([mesh], reviews)).toEqual({ samplePercent: 1 });
    expect(samplingOf([policy('other', 4), policy('default', 5, { app: 'ratings' })], reviews)).toEqual({});
  });

  it('is what the oldest of two says', () => {
    expect(samplingOf([policy('default', 6, null, 9), policy('default', 7, null, 8)], reviews)).toEqual({
      samplePercent: 7,
    });
  });
});

it('is at the gateway what the namespace says in which it runs', () => {
  const of = (...telemetry: TelemetryPolicy[]) =>
    compile(meshOf({ ...NO_POLICIES, telemetry }), [], 1).get(GATEWAY)?.samplePercent;
  expect(of(policy('istio-system', 8, { istio: 'ingressgateway' }), policy('istio-system', 1))).toBe(8);
  expect(of(policy('default', 9), policy('istio-system', 1))).toBe(1);
});
