import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';

const TEXT = `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: secure }
spec:
  targetRefs: [ { group: "", kind: Service, name: secure, sectionName: https } ]
  validation: { hostname: secure.example, wellKnownCACertificates: System }
---
apiVersion: v1
kind: Service
metadata: { name: secure }
spec: { ports: [ { name: https, port: 443 }, { name: http, port: 80 } ] }
`;
const { resources } = readResources([{ name: 't.yaml', text: TEXT }], 1);

describe('a BackendTLSPolicy', () => {
  it.each(['linkerd', 'consul'] as const)('has no effect in %s, and that is told', (flavor) => {
    expect(policiesOf(resources, flavor).destinations).toEqual([]);
    expect(analyze(resources, null, flavor).map(({ code, source, message }) => [code, source.line, message])).toEqual([
      ['MS0001', 6, 'calls to secure are not encrypted by it: of the meshes Istio alone obeys a BackendTLSPolicy'],
    ]);
  });

  it('of a port leaves the others as they are, and what a DestinationRule says of the whole host holds there too', () => {
    const rule = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: secure }
spec: { host: secure, trafficPolicy: { connectionPool: { tcp: { maxConnections: 7 } } } }
`;
    const all = readResources([{ name: 't.yaml', text: TEXT + rule }], 1).resources;
    const [traffic] = policiesOf(all, 'istio').destinations.map((one) => one.traffic);
    expect(traffic?.tls).toBeNull();
    expect(
      traffic?.ports.map(({ port, settings }) => [port, settings.tls?.mode, settings.pool?.limits.maxConnections]),
    ).toEqual([[443, 'originate', 7]]);
  });
});
