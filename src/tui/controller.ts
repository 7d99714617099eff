import type { MeshClient } from '../client/mesh-client.js';
import type { Clock, Timer } from '../platform/clock.js';
import { DrawLoop } from './draw-loop.js';
import type { TerminalDriver } from './driver/terminal-driver.js';
import { follow } from './feed.js';
import { actionOf } from './keymap/dispatch.js';
import { loadTrace, performCall } from './perform.js';
import type { Action } from './store/actions.js';
import { type Effect, effectOf } from './store/effects.js';
import { reduce } from './store/reduce.js';
import { initialState, type State } from './store/state.js';
import type { Theme } from './theme.js';
import { scrollLimit } from './views/scroll-limit.js';
import { view } from './views/view.js';

export type Outcome = 'detach' | 'down';

export interface ControllerInput {
  readonly client: Pick<MeshClient, 'call' | 'events'>;
  readonly driver: TerminalDriver;
  readonly clock: Clock;
  readonly theme: Theme;
  readonly sandboxName: string;
  readonly owned: boolean;
}

/** Ages and countdowns move on by themselves. */
const TICK_MS = 1000;

/** Joins keys, events and time to the state, and the state to the terminal. */
export class Controller {
  readonly #input: ControllerInput;
  readonly #loop: DrawLoop;
  readonly #abort = new AbortController();
  readonly #finished: Promise<Outcome>;
  #finish: (outcome: Outcome) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #state: State;
  #tick: Timer | null = null;

  constructor(input: ControllerInput) {
    this.#input = input;
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.#loop = new DrawLoop(input.clock, () => this.#guard(() => this.#draw()));
    this.#state = initialState(input.sandboxName, input.owned, { cols: 0, rows: 0 }, input.clock.now());
  }

  /** Until the user leaves. The terminal is given back in every case. */
  async run(): Promise<Outcome> {
    const { driver, client, clock } = this.#input;
    try {
      const size = await driver.start({
        onKey: (key) => this.#guard(() => this.#key(key)),
        onResize: (changed) => this.#dispatch({ type: 'resize', size: changed }),
      });
      this.#dispatch({ type: 'resize', size });
      this.#ticking();
      follow(client, clock, (action) => this.#dispatch(action), this.#abort.signal).catch(this.#fail);
      return await this.#finished;
    } finally {
      this.#abort.abort();
      this.#tick?.cancel();
      this.#loop.stop();
      driver.stop();
    }
  }

  /** Ends {@link run} as if the user had left. */
  leave(outcome: Outcome): void {
    this.#finish(outcome);
  }

  #key(key: string): void {
    const action = actionOf(this.#state, key);
    if (action === null) return;
    const effect = action.type === 'command' ? effectOf(this.#state, action.command) : null;
    this.#dispatch(action);
    if (effect !== null) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { client, driver } = this.#input;
    const dispatch = (action: Action): void => this.#dispatch(action);
    switch (effect.kind) {
      case 'leave':
        return this.leave(effect.outcome);
      case 'redraw':
        return driver.redraw();
      case 'load-trace':
        void loadTrace(client, effect.requestId, dispatch);
        return;
      case 'call':
        void performCall(client, effect, dispatch);
    }
  }

  #dispatch(action: Action): void {
    this.#guard(() => {
      this.#state = reduce(this.#state, action);
      if (action.type === 'command') this.#limitScroll();
      this.#loop.touch();
    });
  }

  #limitScroll(): void {
    this.#state = reduce(this.#state, { type: 'scroll-limit', limit: scrollLimit(this.#state, this.#input.theme) });
  }

  #draw(): void {
    this.#input.driver.draw(view(this.#state, this.#state.size, this.#input.theme));
  }

  #ticking(): void {
    const { clock } = this.#input;
    this.#tick = clock.after(TICK_MS, () => {
      this.#dispatch({ type: 'tick', now: clock.now() });
      this.#ticking();
    });
  }

  /** A mistake of ours ends the screen with the terminal restored, so that its message can be read. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }
}
