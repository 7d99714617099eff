import { describe, expect, it } from 'vitest';
import { deployment, namespace, service, told } from './told.js';

const CODES = 'IST0107 IST0108 IST0125 IST0135';
const on = (annotations: string) => `name: a, annotations: { ${annotations} }`;
const pods = (annotations: string, labels = 'app: a') =>
  deployment('name: a', `{ template: { metadata: { labels: { ${labels} }, annotations: { ${annotations} } } } }`);

describe('annotations of Istio', () => {
  it.each([
    [
      'one that there is not',
      service(on('networking.istio.io/exportFour: x'), '{}'),
      ['IST0108 warning Service default/a 3'],
    ],
    ['one that there is', service(on("networking.istio.io/exportTo: '.'"), '{}'), []],
    ['those of others', service(on('kubernetes.io/psp: x, example.com/istio.io: x, notistio.io/a: x'), '{}'), []],
    [
      'on a Namespace what is for an Ingress',
      namespace(on('kubernetes.io/ingress.class: x')),
      ['IST0107 warning Namespace default/a 3'],
    ],
    ['on a Namespace what is for anything', namespace(on("galley.istio.io/analyze-suppress: '*'")), []],
    [
      'on a Deployment what is for its pods',
      deployment(on('sidecar.istio.io/proxyCPU: 100m'), '{}'),
      ['IST0107 warning Deployment default/a 3'],
    ],
    ['on pods what is for pods', pods('sidecar.istio.io/proxyCPU: 100m'), []],
    [
      'on pods what is for a Service',
      pods("networking.istio.io/exportTo: '.'"),
      ['IST0107 warning Deployment default/a 4'],
    ],
    [
      'on a Deployment, and deprecated besides',
      deployment(on('sidecar.istio.io/statsInclusionPrefixes: cluster.outbound'), '{}'),
      ['IST0107 warning Deployment default/a 3', 'IST0135 info Deployment default/a 3'],
    ],
    ['injection by annotation', pods("sidecar.istio.io/inject: 'true'"), ['IST0135 info Deployment default/a 4']],
    [
      'injection by annotation and label',
      pods("sidecar.istio.io/inject: 'true'", "sidecar.istio.io/inject: 'true'"),
      [],
    ],
  ])('%s', (_, text, expected) => {
    expect(told(CODES, [text])).toEqual(expected);
  });

  it.each([
    ['readiness.status.sidecar.istio.io/initialDelaySeconds', "'10'", true],
    ['readiness.status.sidecar.istio.io/initialDelaySeconds', 'soon', false],
    ['readiness.status.sidecar.istio.io/periodSeconds', "'-1'", false],
    ['status.sidecar.istio.io/port', "'15021'", true],
    ['status.sidecar.istio.io/port', "'70000'", false],
    ['sidecar.istio.io/interceptionMode', 'TPROXY', true],
    ['sidecar.istio.io/interceptionMode', 'tproxy', false],
    ['prometheus.istio.io/merge-metrics', "'false'", true],
    ['prometheus.istio.io/merge-metrics', "'no'", false],
    ['traffic.sidecar.istio.io/includeInboundPorts', "'*'", true],
    ['traffic.sidecar.istio.io/excludeInboundPorts', "'*'", false],
    ['traffic.sidecar.istio.io/excludeInboundPorts', "'80, 81'", true],
    ['traffic.sidecar.istio.io/excludeOutboundPorts', "''", true],
    ['traffic.sidecar.istio.io/includeOutboundIPRanges', "'10.0.0.0/8,fd00::/8'", true],
    ['traffic.sidecar.istio.io/includeOutboundIPRanges', "'10.0.0.0/8, 11.0.0.0/8'", false],
    ['traffic.sidecar.istio.io/excludeOutboundIPRanges', "'10.0.0.1'", false],
    ['traffic.sidecar.istio.io/excludeOutboundIPRanges', "'10.0.0.0/33'", false],
    ['proxy.istio.io/config', "'{}'", true],
    ['proxy.istio.io/config', "'holdApplicationUntilProxyStarts: true'", true],
    ['proxy.istio.io/config', 'hold', false],
    ['proxy.istio.io/config', "'{'", false],
    ['sidecar.istio.io/logLevel', 'anything', true],
  ])('%s: %s', (name, value, valid) => {
    expect(told(CODES, [pods(`${name}: ${value}`)])).toEqual(valid ? [] : ['IST0125 warning Deployment default/a 4']);
  });
});
