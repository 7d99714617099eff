import { describe, expect, it } from 'vitest';
import { deployment, namespace, service, told } from './told.js';

const pods = (annotations: string, labels = 'app: a') =>
  deployment('name: a', `{ template: { metadata: { labels: { ${labels} }, annotations: { ${annotations} } } } }`);
const ONCE = ['MS0001 warning Deployment default/a 4'];

describe('annotations and labels of Istio that are valid and change nothing here', () => {
  it.each([
    ['no sidecar', pods("sidecar.istio.io/inject: 'false'")],
    ['no sidecar, by label', pods('', "sidecar.istio.io/inject: 'false'")],
    ['no sidecar, by both', pods("sidecar.istio.io/inject: 'false'", "sidecar.istio.io/inject: 'false'")],
    ['ports that pass by', pods("traffic.sidecar.istio.io/excludeInboundPorts: '9090'")],
    ['calls that pass by', pods("traffic.sidecar.istio.io/excludeOutboundIPRanges: '10.0.0.0/8'")],
    ['only some ports', pods("traffic.sidecar.istio.io/includeInboundPorts: '80,81'")],
    ['another way of redirecting', pods('sidecar.istio.io/interceptionMode: TPROXY')],
    ['settings of the proxy', pods("proxy.istio.io/config: '{ concurrency: 1 }'")],
    ['no automatic mTLS', pods("security.istio.io/autoMTLS: 'false'")],
    ['no mutual TLS of callers', pods('', 'security.istio.io/tlsMode: disabled')],
  ])('are told once: %s', (_, document) => {
    expect(told('MS0001', [document])).toEqual(ONCE);
  });

  it('a namespace without sidecars is told', () => {
    expect(told('MS0001', [namespace('name: a, labels: { istio-injection: disabled }')])).toEqual([
      'MS0001 warning Namespace default/a 3',
    ]);
  });

  it.each([
    ['a sidecar', pods("sidecar.istio.io/inject: 'true'", "sidecar.istio.io/inject: 'true'")],
    ['all ports', pods("traffic.sidecar.istio.io/includeInboundPorts: '*'")],
    ['no port', pods("traffic.sidecar.istio.io/excludeInboundPorts: ''")],
    ['redirecting', pods('sidecar.istio.io/interceptionMode: REDIRECT')],
    ['how it is installed', pods('sidecar.istio.io/proxyCPU: 100m, sidecar.istio.io/logLevel: debug')],
    ['a namespace with sidecars', namespace('name: a, labels: { istio-injection: enabled }')],
    ['what is obeyed', service("name: a, annotations: { networking.istio.io/exportTo: '.' }", '{}')],
  ])('and what is harmless or obeyed is not: %s', (_, document) => {
    expect(told('MS0001', [document])).toEqual([]);
  });
});

describe('a target of a Service that is named', () => {
  const named = service('name: a', '{ selector: { app: a }, ports: [ { port: 80, name: http, targetPort: web } ] }');
  const manifest = (name: string) =>
    deployment(
      'name: a',
      `{ template: { metadata: { labels: { app: a } }, spec: { containers: [ { name: a, ports: [ { containerPort: 9080, name: ${name} } ] } ] } } }`,
    );

  it('is told where no container port is called so', () => {
    expect(told('KIA0701', [named, manifest('other')])).toEqual(['KIA0701 warning Service default/a 4']);
    expect(told('KIA0701', [named, manifest('web')])).toEqual([]);
    expect(told('KIA0701', [named])).toEqual([]);
  });
});
