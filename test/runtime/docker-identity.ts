import { describe, expect, it } from 'vitest';
import { SECRET, type Stand } from './contract.js';
import { dockerOf, execIn, inspectAll } from './docker-bed.js';

/** Prints arguments and environment of the container's first process. */
const READ_OWN = `for (const name of ['cmdline', 'environ']) console.log(require('fs').readFileSync('/proc/1/' + name, 'latin1'))`;

/** Where the bootstrap's secret stands, and what everything is called. */
export function identityTests(stand: () => Stand): void {
  describe('secrets and names', () => {
    it('shows the bootstrap nowhere: not in inspect, environment, arguments or files of a container', async () => {
      const containers = await inspectAll(dockerOf(stand()), stand().plan);
      expect(containers.size).toBe(11);
      expect(JSON.stringify([...containers.values()])).not.toContain(SECRET);
      const seen = await execIn(stand(), 'front/sidecar', ['node', '-e', READ_OWN], '1337:1337');
      expect(seen).toContain('proxy.cjs');
      expect(seen).not.toContain(SECRET);
    });

    it('labels everything with owner, sandbox, name and part, and groups it for Compose tools', async () => {
      const { plan } = stand();
      for (const [part, { Config, Name }] of await inspectAll(dockerOf(stand()), plan)) {
        expect(Config.Labels).toMatchObject({
          'dev.mesh-sandbox.owner': plan.owner,
          'dev.mesh-sandbox.sandbox': plan.id,
          'dev.mesh-sandbox.name': plan.name,
          'com.docker.compose.project': `mesh-sandbox-${plan.name}`,
          'com.docker.compose.service': part.replace('/', '-'),
        });
        expect(Name).toBe(`/mesh-${plan.name}-${plan.id}-${part.replace('/', '-')}`);
      }
    });

    it('is found by its owner, and by no other', async () => {
      const { runtime, plan } = stand();
      expect(await runtime.find(plan.owner)).toContainEqual({ id: plan.id, name: plan.name, running: true });
      expect(await runtime.find('somebody-else')).toEqual([]);
    });
  });
}
