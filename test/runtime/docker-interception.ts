import { describe, expect, it } from 'vitest';
import { virtualIp } from '../../src/model/names.js';
import { interceptionScript } from '../../src/runtime/docker/interception.js';
import { until } from '../support/until.js';
import type { Stand } from './contract.js';
import { dockerOf, execIn, inPod, inspectAll } from './docker-bed.js';

/** A connection from inside the pod: prints where it was meant to go as the sidecar saw it, or the error. */
const CALL = (host: string, port: number): string =>
  `require('http').get({host:'${host}',port:${port},agent:false,timeout:3000},r=>{let b='';r.on('data',c=>b+=c);r.on('end',()=>console.log(r.headers['x-answered-by'],b.startsWith('{')?JSON.parse(b).meant:b))}).on('error',e=>console.log(e.code)).on('timeout',function(){this.destroy()})`;

/** That the app's traffic meets the sidecar, whoever the app says it is, and that Docker's own rules live on. */
export function interceptionTests(stand: () => Stand): void {
  describe('interception', () => {
    const call = (host: string, port: number, user: string, part = 'front/sidecar'): Promise<string> =>
      execIn(stand(), part, ['node', '-e', CALL(host, port)], user).then((text) => text.trim());

    it('sends what the app calls to port 15001, with the original destination', async () => {
      expect(await call('back', 9080, '10001:10001')).toBe(`15001 ${virtualIp(1)}:9080`);
      expect(await call('240.240.9.9', 80, '10001:10001')).toBe('15001 240.240.9.9:80');
    });

    it('gives services the names of Kubernetes', async () => {
      for (const name of ['back', 'back.default', 'back.default.svc', 'back.default.svc.cluster.local'])
        expect(await call(name, 9080, '10001:10001')).toBe(`15001 ${virtualIp(1)}:9080`);
    });

    it('intercepts every user but the sidecar, root included', async () => {
      for (const user of ['0:0', '10002:10002', '65534:1337'])
        expect(await call('240.240.9.9', 80, user)).toBe('15001 240.240.9.9:80');
    });

    it('lets the sidecar out, and nobody become it', async () => {
      const direct = await call('240.240.9.9', 80, '1337:1337');
      expect(direct).not.toContain('15001');
      const become = "try{process.setuid(1337);console.log('became')}catch(e){console.log(e.code)}";
      expect((await execIn(stand(), 'front/app', ['node', '-e', become], '0:0')).trim()).toBe('EPERM');
    });

    it('sends what comes from outside to port 15006, but for the ports of the sidecar itself', async () => {
      const front = (await inspectAll(dockerOf(stand()), stand().plan)).get('front/pause');
      const ip = Object.values(front?.NetworkSettings.Networks ?? {})[0]?.IPAddress ?? '';
      expect(await call(ip, 9080, '1337:1337', 'back-v1/sidecar')).toBe(`15006 ${ip}:9080`);
      expect(await call(ip, 15021, '1337:1337', 'back-v1/sidecar')).toBe('ECONNREFUSED');
    });

    it('leaves loopback and the pod to the app', async () => {
      expect(await call('127.0.0.1', 9080, '10001:10001')).toBe('undefined hello');
      const front = (await inspectAll(dockerOf(stand()), stand().plan)).get('front/pause');
      const ip = Object.values(front?.NetworkSettings.Networks ?? {})[0]?.IPAddress ?? '';
      expect(await call(ip, 9080, '10001:10001')).toBe('undefined hello');
      expect(await call(ip, 9080, '1337:1337')).toBe(`15006 ${ip}:9080`);
    });

    it('leaves names of the network to Docker', async () => {
      const lookup = `require('dns').lookup('control-plane.mesh-sandbox.internal',(e,a)=>console.log(e?e.code:a))`;
      expect(await execIn(stand(), 'front/sidecar', ['node', '-e', lookup], '1337:1337')).toMatch(
        /^\d+\.\d+\.\d+\.\d+/,
      );
    });

    it('has no IPv6 to slip through', async () => {
      expect(await call('::1', 9080, '10001:10001')).toMatch(/EADDRNOTAVAIL|ECONNREFUSED|ENETUNREACH/);
    });

    it('is the same after a second run, and Docker keeps its own chains', async () => {
      const rules = (): Promise<string> => inPod(stand(), 'front', ['iptables-save', '-t', 'nat']);
      const before = plain(await rules());
      expect(await inPod(stand(), 'front', ['sh', '-c', `${interceptionScript()}echo done`])).toBe('done\n');
      expect(plain(await rules())).toEqual(before);
      expect(before.join('\n')).toContain(':DOCKER_OUTPUT');
      expect(before).toContain('-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT');
      expect(before.filter((line) => line.includes('-j MESH_OUTPUT') || line.includes('-j MESH_INBOUND'))).toHaveLength(
        2,
      );
    });

    it('is written again when the namespace dies and comes back', async () => {
      const { host, exits } = stand();
      const died = exits.length;
      await host.signal('back-v1/pause', 'SIGKILL');
      await until(() => exits.slice(died).some(({ part }) => part === 'back-v1/pod'), 'the pod ended');
      await host.start('back-v1/pod', null);
      expect(await inPod(stand(), 'back-v1', ['iptables-save', '-t', 'nat'])).toContain(
        '-A OUTPUT -p tcp -j MESH_OUTPUT',
      );
    });
  });
}

/** Rules without comments and counters. */
function plain(saved: string): string[] {
  return saved
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/\[\d+:\d+\]/, ''));
}
