import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { NO_POLICIES } from '../../src/model/policies.js';
import type { SidecarConfig } from '../../src/model/sidecar-config.js';
import { patched, patchOf } from '../../src/protocol/config-patch.js';
import { encodeMessage, NdjsonDecoder } from '../../src/protocol/control-stream.js';
import { policiesOf } from '../../src/resources/policies.js';
import { readResources } from '../../src/resources/read.js';
import { appOf, workload } from '../support/apps.js';
import { forChance } from '../support/chance.js';
import { meshConfigOf } from '../support/mesh-config.js';

const NAMES = ['a', 'b', 'c', 'd'];

/** What is meant for web, with some of the services, endpoints and routes. */
function configOf(names: readonly string[], routed: readonly string[], version: number): SidecarConfig {
  const app = appOf([workload('web-v1'), ...names.map((name) => workload(`${name}-v1`))]);
  const yaml = routed.map(
    (name) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec: { hosts: [${name}], http: [ { route: [ { destination: { host: ${name} } } ], timeout: ${version}s } ] }
`,
  );
  const { resources } = readResources([{ name: 'p.yaml', text: yaml.join('---\n') }], 0);
  const policies = routed.length === 0 ? NO_POLICIES : policiesOf(resources);
  const mesh = meshConfigOf(app, { policies });
  const ready = names.map((name, i) => ({ workload: `${name}-v1`, address: `10.0.0.${i}`, ports: { 9080: 9080 } }));
  return compile(mesh, ready, version).get('web-v1') as SidecarConfig;
}

/** As it comes out at the other end of the stream. */
function sent<T>(message: Parameters<typeof encodeMessage>[0]): T {
  return new NdjsonDecoder().push(encodeMessage(message))[0] as T;
}

describe('a patch', () => {
  it('makes of any configuration any other, over the wire', () => {
    forChance(60, (chance) => {
      const some = () => NAMES.filter(() => chance.below(2) === 0);
      const [before, after] = [1, 2].map((version) => {
        const names = some();
        const turned = chance.below(2) === 0 ? names : [...names].reverse();
        return configOf(
          turned,
          names.filter(() => chance.below(2) === 0),
          version,
        );
      }) as [SidecarConfig, SidecarConfig];
      const { config } = sent<{ config: SidecarConfig }>({ type: 'config', config: before });
      expect(config).toEqual(JSON.parse(JSON.stringify(before)));
      const { patch } = sent<{ patch: ReturnType<typeof patchOf> }>({ type: 'patch', patch: patchOf(before, after) });
      expect(patched(config, patch)).toEqual(JSON.parse(JSON.stringify(after)));
    });
  });

  it('of one changed rule holds that rule, and leaves the rest the same objects', () => {
    const [before, after] = [configOf(NAMES, ['a', 'b'], 1), configOf(NAMES, ['a'], 2)];
    const patch = patchOf(before, after);
    expect(patch.rest).toBeNull();
    expect(patch.outbound.clusters).toEqual({ order: null, changed: [] });
    expect(patch.outbound.virtualHosts.changed.map(({ name }) => name)).toEqual(['a', 'b']);
    const next = patched(before, patch);
    expect(next.outbound.clusters).toBe(before.outbound.clusters);
    expect(next.outbound.virtualHosts[0]).toBe(before.outbound.virtualHosts[0]);
  });
});
