import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { onIdle } from '../../../src/proxy/tunnel/idle.js';
import { FakeClock } from '../../support/fake-clock.js';

function watched(idleMs: number) {
  const clock = new FakeClock();
  const socket = Object.assign(new EventEmitter(), { bytesRead: 0, bytesWritten: 0 });
  let idle = 0;
  onIdle(socket as unknown as Socket, idleMs, clock, () => idle++);
  return { clock, socket, idle: () => idle };
}

describe('an idle connection', () => {
  it('is told once its time is over, soon after', () => {
    const { clock, idle } = watched(800);
    clock.advance(799);
    expect(idle()).toBe(0);
    clock.advance(201);
    expect(idle()).toBe(1);
    clock.advance(10_000);
    expect(idle()).toBe(1);
  });

  it.each(['bytesRead', 'bytesWritten'] as const)('is none where %s grows now and then', (field) => {
    const { clock, socket, idle } = watched(800);
    for (let n = 0; n < 20; n++) {
      clock.advance(700);
      socket[field]++;
    }
    expect(idle()).toBe(0);
    clock.advance(1_000);
    expect(idle()).toBe(1);
  });

  it('that is closed is watched no more, and one without a limit never', () => {
    const { clock, socket, idle } = watched(800);
    socket.emit('close');
    clock.advance(5_000);
    expect([idle(), clock.waiting]).toEqual([0, 0]);
    expect(watched(0).clock.waiting).toBe(0);
  });
});
