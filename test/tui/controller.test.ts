import { afterEach, describe, expect, it } from 'vitest';
import { Controller, type Outcome } from '../../src/tui/controller.js';
import { MemoryDriver } from '../../src/tui/driver/memory-driver.js';
import { themeOf } from '../../src/tui/theme.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/until.js';
import { FakeMesh } from './support/fake-mesh.js';

interface Running {
  readonly controller: Controller;
  readonly driver: MemoryDriver;
  readonly clock: FakeClock;
  readonly mesh: FakeMesh;
  readonly outcome: Promise<Outcome>;
  /** Lets time pass until the screen shows `text`. */
  shows(text: string): Promise<void>;
}

let running: Running | null = null;

function start(owned = true): Running {
  const [driver, clock, mesh] = [new MemoryDriver({ cols: 100, rows: 30 }), new FakeClock(), new FakeMesh()];
  const controller = new Controller({
    client: mesh.client,
    driver,
    clock,
    theme: themeOf(false),
    sandboxName: 'bookinfo',
    owned,
  });
  const outcome = controller.run();
  const shows = (text: string): Promise<void> =>
    until(() => {
      clock.advance(100);
      return driver.text().includes(text);
    }, `the screen shows ${text}; it shows\n${driver.text()}`);
  running = { controller, driver, clock, mesh, outcome, shows };
  return running;
}

afterEach(async () => {
  running?.controller.leave('detach');
  await running?.outcome.catch(() => {});
  running = null;
});

describe('controller', () => {
  it('shows the mesh and leaves nothing behind', async () => {
    const { driver, clock, outcome, shows } = start(false);
    await shows('productpage-v1');
    driver.press('q');
    expect(await outcome).toBe('detach');
    expect(driver.stops).toBe(1);
    await until(() => clock.waiting === 0, 'no timer is left');
    const drawn = driver.frames.length;
    clock.advance(5000);
    expect(driver.frames).toHaveLength(drawn);
  });

  it('brings an own sandbox down only when told so', async () => {
    const { driver, outcome, shows } = start(true);
    await shows('productpage-v1');
    driver.press('C-c');
    await shows('bring it down');
    driver.press('escape');
    await shows('reviews');
    driver.press('q', 'd');
    expect(await outcome).toBe('down');
  });

  it('draws at most ten times a second, and not at all when nothing changes', async () => {
    const { driver, clock, shows } = start();
    await shows('productpage-v1');
    clock.advance(100);
    const before = driver.frames.length;
    for (let press = 0; press < 500; press += 1) {
      driver.press(press % 2 === 0 ? 'down' : 'up');
      clock.advance(2);
    }
    expect(driver.frames.length - before).toBeLessThanOrEqual(11);
    clock.advance(100);
    const idle = driver.frames.length;
    // Only the clock on screen moves on, once a second.
    clock.advance(10_000);
    expect(driver.frames.length - idle).toBeLessThanOrEqual(11);
  });

  it('says that the control plane is gone, asks twice a second, and recovers', async () => {
    const { mesh, clock, shows } = start();
    await shows('productpage-v1');
    mesh.refuse = 'connection refused';
    mesh.breakStream();
    await shows('control plane not answering since 0s; sidecars keep serving');
    await shows('not answering since 3s');
    expect(mesh.streams).toBeGreaterThan(4);
    expect(mesh.streams).toBeLessThan(12);
    mesh.refuse = null;
    await until(() => {
      clock.advance(100);
      return !(running?.driver.text() ?? '').includes('not answering');
    }, 'the warning goes');
  });

  it('takes a stream that is open but silent for broken', async () => {
    const { clock, shows } = start();
    await shows('productpage-v1');
    clock.advance(5000);
    await shows('control plane not answering');
  });

  it('opens a request with its story', async () => {
    const { driver, mesh, shows } = start();
    await shows('productpage-v1');
    driver.press('2', 'down', 'enter');
    await shows('whose fault: injected');
    expect(mesh.calls.map(({ name }) => name)).toEqual(['trace', 'explain']);
    expect(mesh.calls[0]?.request).toEqual({ id: 'req-3' });
    driver.press('G', 'G', 'up');
    await shows('What happened');
  });

  it('tells what came of a wish, also when it was refused', async () => {
    const { driver, mesh, shows } = start();
    await shows('productpage-v1');
    driver.press('t');
    await shows('retries off');
    mesh.refuse = 'no such feature';
    driver.press('m');
    await shows('switching mTLS to strict failed: no such feature');
    driver.press('C-l');
    expect(driver.redraws).toBe(1);
  });

  it('follows the size of the terminal', async () => {
    const { driver, shows } = start();
    await shows('productpage-v1');
    driver.resize({ cols: 30, rows: 5 });
    await shows('needs 60x20');
    driver.resize({ cols: 160, rows: 50 });
    await shows('productpage-v1');
    expect(driver.frames.at(-1)?.size).toEqual({ cols: 160, rows: 50 });
  });

  it('gives the terminal back when drawing fails', async () => {
    const { driver, outcome, shows } = start();
    await shows('productpage-v1');
    driver.draw = () => {
      throw new Error('a mistake of ours');
    };
    driver.press('down');
    running?.clock.advance(200);
    await expect(outcome).rejects.toThrow('a mistake of ours');
    expect(driver.stops).toBe(1);
  });
});
