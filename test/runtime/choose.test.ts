import { expect, it } from 'vitest';
import { chooseRuntime } from '../../src/runtime/choose.js';

const nowhere = 'unix:///nowhere/docker.sock';

it('says what was tried and what to do when Docker is demanded and absent', async () => {
  await expect(chooseRuntime({ kind: 'docker', dockerHost: nowhere })).rejects.toMatchObject({
    message: expect.stringContaining(`tried ${nowhere} (--docker-host): there is no such socket`),
    hints: [expect.any(String), expect.stringContaining('--runtime local')],
  });
});

it('takes local processes when no engine answers, and says why', async () => {
  const runtime = await chooseRuntime({ kind: 'auto', dockerHost: nowhere });
  expect(runtime.kind).toBe('local');
  expect(runtime.description).toContain('there is no such socket');
});

it('takes local processes when asked to', async () => {
  expect((await chooseRuntime({ kind: 'local' })).description).toContain('as asked');
});
