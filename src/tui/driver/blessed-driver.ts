import type { Readable, Writable } from 'node:stream';
import type { Widgets } from 'blessed';
import { preferUnicodeLines } from '../../platform/terminal.js';
import type { Frame, Size } from '../frame.js';
import { keyNames, type RawKey } from './key-name.js';
import { withSgr } from './sgr.js';
import type { TerminalDriver, TerminalEvents } from './terminal-driver.js';

export interface BlessedOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly term: string;
  readonly ascii: boolean;
  readonly color: boolean;
}

/** What blessed takes; its types know no `forceUnicode` and have the two streams the wrong way round. */
interface ScreenOptions extends Omit<Widgets.IScreenOptions, 'input' | 'output'> {
  readonly input: Readable;
  readonly output: Writable;
  readonly forceUnicode: boolean;
}

/**
 * A terminal by blessed: alternate screen, key decoding and differences between frames, and nothing else of it. Its
 * one box shows text that is already laid out, so none of its own layout, tags or widths come into play.
 */
export class BlessedDriver implements TerminalDriver {
  readonly #options: BlessedOptions;
  #screen: Widgets.Screen | null = null;
  #box: Widgets.BoxElement | null = null;
  readonly #ignore = (): void => {};

  constructor(options: BlessedOptions) {
    this.#options = options;
  }

  async start(events: TerminalEvents): Promise<Size> {
    preferUnicodeLines();
    const { default: blessed } = await import('blessed');
    const { input, output, ascii } = this.#options;
    // A terminal that goes away while it is written to is the end of this screen, not of the program.
    output.on('error', this.#ignore);
    const options: ScreenOptions = {
      input,
      output,
      terminal: this.#terminal(),
      warnings: false,
      fullUnicode: false,
      forceUnicode: !ascii,
      smartCSR: false,
    };
    const screen = blessed.screen(options as object);
    this.#screen = screen;
    this.#box = blessed.box({
      parent: screen,
      top: 0,
      left: 0,
      width: '100%',
      height: '100%',
      tags: false,
      wrap: false,
    });
    screen.program.on('keypress', (character: string | undefined, key: RawKey) => {
      for (const name of keyNames(character, key)) events.onKey(name);
    });
    screen.on('resize', () => events.onResize(this.#size()));
    return this.#size();
  }

  draw(frame: Frame): void {
    this.#box?.setContent(withSgr(frame, this.#options.color));
    this.#screen?.render();
  }

  redraw(): void {
    this.#screen?.realloc();
    this.#screen?.render();
  }

  stop(): void {
    const screen = this.#screen;
    if (screen === null) return;
    this.#screen = null;
    this.#box = null;
    screen.destroy();
    // What was written last may fail a moment later, when the terminal is already gone (SIGHUP).
    setImmediate(() => this.#options.output.off('error', this.#ignore));
  }

  #size(): Size {
    const { cols, rows } = this.#screen?.program ?? { cols: 0, rows: 0 };
    return { cols: Number(cols) || 0, rows: Number(rows) || 0 };
  }

  /** Blessed falls back to eight colours for terminals it does not know; nearly all of them speak xterm. */
  #terminal(): string {
    const { term } = this.#options;
    return /^(dumb|linux|vt\d+.*)$/.test(term) ? term : 'xterm-256color';
  }
}
