import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PartExit, SandboxHost, SandboxPlan } from '../../src/runtime/runtime.js';
import { type Cable, openCable } from '../support/cable.js';
import { describeDocker } from '../support/docker.js';
import { until } from '../support/until.js';
import { removeFolder, testPlan, testPrograms } from './bed.js';
import { inspectAll, testEngine, testRuntime } from './docker-bed.js';

describeDocker('an engine that goes away and comes back', () => {
  let cable: Cable;
  let programs: string;
  let plan: SandboxPlan;
  let host: SandboxHost;

  beforeAll(async () => {
    programs = await testPrograms();
    plan = await testPlan('owner-of-tests', 1);
    const engine = await testEngine();
    cable = await openCable(engine.host.replace('unix://', ''));
    const runtime = testRuntime(await testEngine(`tcp://127.0.0.1:${cable.port}`), programs);
    await runtime.prepare(() => {});
    host = runtime.sandbox(plan);
    await host.open();
    await host.createPod('front');
    await host.start('front/sidecar', JSON.stringify({ lifeline: false }));
  });

  afterAll(async () => {
    await cable.plug();
    await testRuntime(await testEngine(), programs).remove(plan, plan.directory);
    cable.close();
    removeFolder(programs);
  });

  it('is told of, what ended meanwhile is told on return, and commands say what to do', async () => {
    const exits: PartExit[] = [];
    const losses: string[] = [];
    const watch = await host.watch(
      (exit) => exits.push(exit),
      (error) => losses.push(error.message),
    );
    await cable.unplug();
    await until(() => losses.length > 0, 'the loss is told');
    expect(losses[0]).toBe('Docker stopped answering while watching the containers');
    await expect(host.signal('front/sidecar', 'SIGTERM')).rejects.toThrow('Docker stopped answering');

    const { docker } = await testEngine();
    const id = (await inspectAll(docker, plan)).get('front/sidecar')?.Id ?? '';
    await docker.getContainer(id).kill({ signal: 'SIGKILL' });
    await cable.plug();
    await until(() => exits.length > 0, 'the exit is told');
    expect(exits).toEqual([{ part: 'front/sidecar', code: null, signal: 'SIGKILL' }]);
    await host.start('front/sidecar', JSON.stringify({ lifeline: false }));
    watch.close();
  });
});
