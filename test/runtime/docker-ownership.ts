import { afterAll, describe, expect, it } from 'vitest';
import { LABEL, labelsOf } from '../../src/runtime/docker/labels.js';
import type { SandboxPlan } from '../../src/runtime/runtime.js';
import { testPlan } from './bed.js';
import type { Stand } from './contract.js';
import { dockerOf } from './docker-bed.js';

/** That removal takes everything of ours and nothing of anybody else's. */
export function ownershipTests(stand: () => Stand): void {
  describe('ownership', () => {
    const undo: (() => Promise<unknown>)[] = [];
    afterAll(() => Promise.all(undo.map((step) => step())));

    it('removes one sandbox and leaves eight look-alikes as they were, byte for byte', async () => {
      const { runtime } = stand();
      const plan = await testPlan('owner-of-tests', 1);
      const looks = await decoys(stand(), plan, undo);
      const before = await looks();
      const host = runtime.sandbox(plan);
      await host.open();
      await host.createPod('front');
      await host.createPart('control-plane');
      const removed = await runtime.remove(plan, plan.directory);
      expect([...removed].sort()).toEqual(
        ['control-plane', 'front-app', 'front-init', 'front-pause', 'front-sidecar']
          .map((part) => `container mesh-${plan.name}-${plan.id}-${part}`)
          .concat(`network mesh-${plan.name}-${plan.id}-network`, `volume mesh-${plan.name}-${plan.id}-state`),
      );
      expect(await looks()).toEqual(before);
      expect((await runtime.find(plan.owner)).map(({ id }) => id)).not.toContain(plan.id);
      const left = { filters: { label: [`${LABEL.sandbox}=${plan.id}`, `${LABEL.owner}=${plan.owner}`] } };
      expect(await dockerOf(stand()).listContainers({ all: true, ...left })).toEqual([]);
      expect(await dockerOf(stand()).listNetworks(left)).toEqual([]);
      const { Volumes } = await dockerOf(stand()).listVolumes({ filters: left.filters as never });
      expect(Volumes ?? []).toEqual([]);
    });

    it('says who took a port in the meantime', async () => {
      const { runtime, plan } = stand();
      const second = { ...(await testPlan('owner-of-tests', 1)), apiPort: plan.apiPort };
      const host = runtime.sandbox(second);
      undo.push(() => runtime.remove(second, second.directory));
      await host.open();
      await host.createPart('control-plane');
      await expect(host.start('control-plane', '{}')).rejects.toThrow(
        `port ${plan.apiPort} was taken in the meantime by container mesh-${plan.name}-${plan.id}-control-plane (project mesh-sandbox-${plan.name})`,
      );
      expect(await runtime.publisherOf?.(plan.apiPort)).toContain('control-plane');
      await runtime.remove(second, second.directory);
      expect((await runtime.find(second.owner)).map(({ id }) => id)).not.toContain(second.id);
    });
  });
}

/** Containers, a network, volumes and an image that look like the sandbox's; returns a way to see all they are. */
async function decoys(
  stand: Stand,
  plan: SandboxPlan,
  undo: (() => Promise<unknown>)[],
): Promise<() => Promise<unknown[]>> {
  const docker = dockerOf(stand);
  const Image =
    (await docker.listContainers({ filters: { label: [`${LABEL.sandbox}=${stand.plan.id}`] } }))[0]?.ImageID ?? '';
  const { [LABEL.owner]: owner = '', [LABEL.sandbox]: sandbox = '', ...rest } = labelsOf(plan, 'front/app');
  const labels = [
    { ...rest, [LABEL.owner]: owner },
    { ...rest, [LABEL.sandbox]: sandbox },
    { ...rest, [LABEL.owner]: owner, [LABEL.sandbox]: `${sandbox}0` },
    { ...rest, [LABEL.owner]: `${owner}2`, [LABEL.sandbox]: sandbox },
  ];
  const containers = await Promise.all(
    labels.map((Labels, i) =>
      docker.createContainer({ name: `mesh-${plan.name}-${plan.id}-decoy${i}`, Image, Labels, Cmd: ['sleep', '9999'] }),
    ),
  );
  await containers[0]?.start();
  const network = await docker.createNetwork({
    Name: `mesh-${plan.name}-${plan.id}-network2`,
    Labels: labels[0] ?? {},
  });
  const volumes = await Promise.all(
    [0, 1].map((i) => docker.createVolume({ Name: `mesh-${plan.name}-${plan.id}-state${i}`, Labels: labels[i] ?? {} })),
  );
  const image = docker.getImage(Image);
  await image.tag({ repo: `mesh-sandbox-decoy-${plan.id}`, tag: 'local' });
  undo.push(async () => {
    await Promise.allSettled(containers.map((container) => container.remove({ force: true })));
    await Promise.allSettled([
      network.remove(),
      ...volumes.map(({ name }) => docker.getVolume(name).remove()),
      docker.getImage(`mesh-sandbox-decoy-${plan.id}:local`).remove(),
    ]);
  });
  return () =>
    Promise.all([
      ...containers.map((container) => container.inspect()),
      network.inspect(),
      ...volumes.map(({ name }) => docker.getVolume(name).inspect()),
      docker.getImage(`mesh-sandbox-decoy-${plan.id}:local`).inspect(),
    ]);
}
