import xterm from '@xterm/headless';

/** What a person would see: a real terminal emulator fed with the bytes that were written. */
export class Screen {
  readonly terminal: InstanceType<typeof xterm.Terminal>;
  /** All bytes so far. */
  written = '';

  constructor(cols: number, rows: number) {
    this.terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true });
  }

  write(data: string): void {
    this.written += data;
    this.terminal.write(data);
  }

  get lines(): readonly string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
    );
  }

  get text(): string {
    return this.lines.join('\n');
  }

  get alternate(): boolean {
    return this.terminal.buffer.active.type === 'alternate';
  }
}
