import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { BlessedDriver } from '../../src/tui/driver/blessed-driver.js';
import { keyNames } from '../../src/tui/driver/key-name.js';
import { plainText, type Size } from '../../src/tui/frame.js';
import { themeOf } from '../../src/tui/theme.js';
import { view } from '../../src/tui/views/view.js';
import { until } from '../support/until.js';
import { Screen } from './support/screen.js';
import { allScreens } from './support/states.js';

process.env['TZ'] = 'UTC';
const SIZE = { cols: 80, rows: 24 };
let driver: BlessedDriver | null = null;

afterEach(() => driver?.stop());

async function started(options: { ascii?: boolean; color?: boolean; term?: string } = {}) {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: SIZE.cols, rows: SIZE.rows, isTTY: true });
  const screen = new Screen(SIZE.cols, SIZE.rows);
  output.on('data', (chunk: Buffer) => screen.write(chunk.toString('utf8')));
  const keys: string[] = [];
  const sizes: Size[] = [];
  driver = new BlessedDriver({ input, output, term: 'xterm-kitty', ascii: false, color: true, ...options });
  const size = await driver.start({ onKey: (key) => keys.push(key), onResize: (changed) => sizes.push(changed) });
  return { driver, input, output, screen, keys, sizes, size };
}

const trimmed = (text: string): string => text.replace(/ +$/gm, '');

describe('blessed driver', () => {
  it.each([false, true])('shows every screen as it was laid out (ascii: %s)', async (ascii) => {
    const { driver, screen, size } = await started({ ascii });
    expect(size).toEqual(SIZE);
    for (const [name, state] of Object.entries(allScreens(SIZE))) {
      const frame = view(state, SIZE, themeOf(ascii));
      driver.draw(frame);
      await until(() => screen.text === trimmed(plainText(frame)), `${name} is on screen; it is\n${screen.text}`, 3000);
    }
    // Neither the alternate character set nor a change of title.
    expect(screen.written).not.toMatch(/\x1b\(0|\x1b\]/);
  });

  it('shows markup of the library as text', async () => {
    const { driver, screen } = await started();
    const { span } = themeOf(false);
    driver.draw({ size: SIZE, lines: [[span('{bold}{red-fg}x{/} {open} \\ %s')]] });
    await until(() => screen.lines[0] === '{bold}{red-fg}x{/} {open} \\ %s', 'braces are plain');
  });

  it('uses no colour when told so, and colour otherwise', async () => {
    const frame = view(allScreens(SIZE)['faults']!, SIZE, themeOf(false));
    const plain = await started({ color: false });
    plain.driver.draw(frame);
    await until(() => plain.screen.text.includes('abort 503'), 'the plain screen is drawn');
    expect(plain.screen.written).not.toMatch(/\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;5)[0-9;]*m/);
    plain.driver.stop();
    const colored = await started({ color: true });
    colored.driver.draw(frame);
    await until(() => colored.screen.text.includes('abort 503'), 'the colored screen is drawn');
    expect(colored.screen.written).toMatch(/\x1b\[[0-9;]*31[0-9;]*m/);
  });

  it('reports keys by the names of the key table', async () => {
    const { input, keys } = await started();
    const sent = [
      '\x1b[A',
      '\x1b[B',
      '\x1bOA',
      '\x1b[5~',
      '\x1b[6~',
      '\r',
      '\t',
      '\x1b[Z',
      '\x7f',
      ' ',
      'G',
      '/',
      '\x03',
      '\x0c',
      '\x1b',
    ];
    for (const sequence of sent) input.write(sequence);
    const names = 'up down up pageup pagedown enter tab S-tab backspace space G / C-c C-l escape'.split(' ');
    await until(() => keys.length >= names.length, `${names.length} keys; there are ${keys.join(' ')}`);
    expect(keys).toEqual(names);
    expect(keyNames('\n', { name: 'linefeed', full: 'linefeed' })).toEqual(['enter']);
    expect(keyNames(undefined, {})).toEqual([]);
  });

  it('takes escape with a key right behind it for two keys', async () => {
    const { input, keys } = await started();
    input.write('\x1b3');
    input.write('\x1bG');
    await until(() => keys.length >= 4, 'four keys');
    expect(keys).toEqual(['escape', '3', 'escape', 'G']);
  });

  it('reports a new size and draws in it', async () => {
    const { driver, output, screen, sizes } = await started();
    Object.assign(output, { columns: 120, rows: 40 });
    screen.terminal.resize(120, 40);
    output.emit('resize');
    expect(sizes).toEqual([{ cols: 120, rows: 40 }]);
    const size = { cols: 120, rows: 40 };
    const frame = view(allScreens(size)['topology']!, size, themeOf(false));
    driver.draw(frame);
    await until(() => screen.text === trimmed(plainText(frame)), 'the larger screen is drawn');
  });

  it('survives a terminal of one cell', async () => {
    const { driver, output } = await started();
    Object.assign(output, { columns: 1, rows: 1 });
    output.emit('resize');
    driver.draw(view(allScreens({ cols: 1, rows: 1 })['topology']!, { cols: 1, rows: 1 }, themeOf(false)));
    driver.redraw();
  });

  it('gives the terminal and the process back as they were', async () => {
    const events = ['exit', 'uncaughtException', 'SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
    const listeners = (): readonly number[] => events.map((event) => process.listenerCount(event));
    const before = listeners();
    const { driver, screen, output } = await started();
    await until(() => screen.alternate, 'the alternate screen is on');
    driver.stop();
    driver.stop();
    await until(() => !screen.alternate, 'the alternate screen is off');
    expect(screen.written).toContain('\x1b[?25h');
    expect(listeners()).toEqual(before);
    await until(() => output.listenerCount('error') === 0, 'no listener is left');
  });
});
