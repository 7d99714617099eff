import type Dockerode from 'dockerode';
import { afterAll, describe, expect, it } from 'vitest';
import type { WorkloadSpec } from '../../src/model/app.js';
import { DockerSandbox } from '../../src/runtime/docker/docker-sandbox.js';
import { interceptionScript } from '../../src/runtime/docker/interception.js';
import { LABEL } from '../../src/runtime/docker/labels.js';
import type { SandboxPlan } from '../../src/runtime/runtime.js';
import { testPlan } from './bed.js';
import type { Stand } from './contract.js';
import { dockerOf, inPod, inspectAll, OWNER } from './docker-bed.js';

const IMAGE = 'mesh-sandbox-test:local';

/** Pods of apps that are not ours, and of engines that cannot do everything. */
export function podTests(stand: () => Stand): void {
  describe('pods', () => {
    const plans: SandboxPlan[] = [];
    afterAll(() => Promise.all(plans.map((plan) => stand().runtime.remove(plan, plan.directory))));

    /** A sandbox of one workload that differs from the usual one; its network exists. */
    async function sandboxOf(
      given: Partial<WorkloadSpec>,
      engine: Dockerode = dockerOf(stand()),
    ): Promise<{ plan: SandboxPlan; host: DockerSandbox }> {
      const usual = await testPlan('owner-of-tests', 1);
      const [front] = usual.app.workloads;
      const plan = { ...usual, app: { ...usual.app, workloads: [{ ...(front as WorkloadSpec), ...given }] } };
      plans.push(plan);
      const host = new DockerSandbox(engine, plan, () => IMAGE);
      await host.open();
      return { plan, host };
    }

    it('takes capabilities and root from a foreign image, but not its writable files', async () => {
      const { plan, host } = await sandboxOf({ image: IMAGE });
      await host.createPod('front');
      const app = (await inspectAll(dockerOf(stand()), plan)).get('front/app');
      expect(app?.Config.User).toBe('10001:10001');
      expect(app?.HostConfig).toMatchObject({
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: false,
        PidsLimit: 256,
        Memory: 1024 * 1024 * 1024,
      });
    });

    it('names an image that is not here and cannot be fetched', async () => {
      const { host } = await sandboxOf({ image: 'registry.invalid/shop/cart:2' });
      await expect(host.createPod('front')).rejects.toMatchObject({
        message: expect.stringContaining('the image registry.invalid/shop/cart:2 is not here and cannot be fetched'),
        hints: ['docker pull registry.invalid/shop/cart:2'],
      });
    });

    it.each(['1337', '1337:1337', '01337', 'proxy'])(
      'refuses an app that would run as the sidecar (%s)',
      async (user) => {
        const { host } = await sandboxOf({ user });
        await expect(host.createPod('front')).rejects.toThrow('it is the sidecar');
      },
    );

    it('does without the IPv6 switch where the engine lacks it', async () => {
      const { plan, host } = await sandboxOf({}, withoutIpv6Switch(dockerOf(stand())));
      await host.createPod('front');
      const parts = await inspectAll(dockerOf(stand()), plan);
      expect([...parts.keys()].sort()).toEqual(['front/app', 'front/init', 'front/pause', 'front/sidecar']);
      expect(parts.get('front/pause')?.HostConfig.Sysctls ?? {}).toEqual({});
      const rules = await inPod({ ...stand(), plan }, 'front', ['iptables-save', '-t', 'nat']);
      expect(rules).toContain('-A OUTPUT -p tcp -j MESH_OUTPUT');
    });

    it('intercepts IPv6 where it is on, so that it leads nowhere past the sidecar', async () => {
      const rules = await runAlone(dockerOf(stand()), `${interceptionScript()}ip6tables-save -t nat`);
      expect(rules).toContain('-A OUTPUT -p tcp -j MESH_OUTPUT');
      expect(rules).toContain('-A MESH_REDIRECT -p tcp -j REDIRECT --to-ports 15001');
      expect(rules).toContain('-A MESH_OUTPUT -d ::1/128 -j RETURN');
    });
  });
}

/** The engine as on a kernel without IPv6: containers that ask for the switch do not start. */
function withoutIpv6Switch(docker: Dockerode): Dockerode {
  const refuse = async (): Promise<never> => {
    throw new Error('open /proc/sys/net/ipv6/conf/all/disable_ipv6: no such file or directory');
  };
  const refusing = new Set<string>();
  return new Proxy(docker, {
    get(target, name) {
      if (name === 'createContainer')
        return async (options: Dockerode.ContainerCreateOptions) => {
          const container = await target.createContainer(options);
          if (options.HostConfig?.Sysctls !== undefined) refusing.add(container.id);
          return container;
        };
      if (name === 'getContainer')
        return (id: string) => Object.assign(target.getContainer(id), refusing.has(id) ? { start: refuse } : {});
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Runs a script in a namespace of its own in which IPv6 is on, and returns what it prints. */
async function runAlone(docker: Dockerode, script: string): Promise<string> {
  const container = await docker.createContainer({
    Image: IMAGE,
    User: '0:0',
    Entrypoint: [],
    Cmd: ['sh', '-c', script],
    Labels: { [LABEL.owner]: OWNER },
    Tty: true,
    HostConfig: {
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      CapAdd: ['NET_ADMIN'],
      Sysctls: { 'net.ipv6.conf.all.disable_ipv6': '0' },
    },
  });
  try {
    await container.start();
    await container.wait();
    return String(await container.logs({ stdout: true, stderr: true }));
  } finally {
    await container.remove({ force: true });
  }
}
