import { describe, expect, it } from 'vitest';
import type { Stand } from './contract.js';
import { dockerOf, inspectAll } from './docker-bed.js';

/** What each container may: the audit of the whole sandbox, flag by flag. */
export function profileTests(stand: () => Stand): void {
  describe('what containers may', () => {
    it('is as little as possible, in all of them', async () => {
      const containers = await inspectAll(dockerOf(stand()), stand().plan);
      expect([...containers.keys()].sort()).toEqual(
        [
          ...['control-plane', 'gateway', 'load'],
          ...['front', 'back-v1'].flatMap((name) =>
            ['pause', 'init', 'sidecar', 'app'].map((part) => `${name}/${part}`),
          ),
        ].sort(),
      );
      for (const [part, { Config, HostConfig: may, Mounts }] of containers) {
        const flags = {
          part,
          user: Config.User,
          capDrop: may.CapDrop,
          capAdd: may.CapAdd ?? [],
          security: may.SecurityOpt,
          readOnly: may.ReadonlyRootfs,
          pids: may.PidsLimit,
          memory: (may.Memory ?? 0) > 0 && (may.Memory ?? 0) <= 512 * 1024 * 1024,
          cpu: (may.CpuQuota ?? 0) > 0,
          privileged: may.Privileged,
          hostPid: may.PidMode,
          hostIpc: may.IpcMode,
          restart: may.RestartPolicy?.Name || 'no',
          binds: may.Binds ?? [],
        };
        expect(flags).toEqual({
          part,
          user: userOf(part),
          capDrop: ['ALL'],
          capAdd: part.endsWith('/init') ? ['NET_ADMIN'] : [],
          security: ['no-new-privileges'],
          readOnly: true,
          pids: 256,
          memory: true,
          cpu: true,
          privileged: false,
          hostPid: '',
          hostIpc: 'private',
          restart: 'no',
          binds: [],
        });
        expect(Mounts.filter(({ Type }) => Type !== 'volume' && Type !== 'tmpfs')).toEqual([]);
        expect(may.NetworkMode).not.toBe('host');
        for (const bindings of Object.values(may.PortBindings ?? {}) as { HostIp: string }[][])
          for (const { HostIp } of bindings) expect(HostIp).toBe('127.0.0.1');
      }
    });

    it('leaves no container with NET_ADMIN running', async () => {
      for (const [part, { State }] of await inspectAll(dockerOf(stand()), stand().plan))
        if (part.endsWith('/init')) expect(State).toMatchObject({ Running: false, ExitCode: 0 });
    });
  });
}

function userOf(part: string): string {
  if (part.endsWith('/init')) return '0:0';
  if (part.endsWith('/sidecar') || part === 'gateway') return '1337:1337';
  return part === 'control-plane' ? '10002:10002' : '10001:10001';
}
