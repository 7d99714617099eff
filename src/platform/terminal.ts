/** What a program can know of its terminal before it draws anything. */
export interface TerminalFacts {
  readonly term: string;
  /** The locale says that the terminal understands UTF-8. */
  readonly utf8: boolean;
  /** https://no-color.org: present and not empty. */
  readonly noColor: boolean;
}

export function terminalFacts(environment: NodeJS.ProcessEnv = process.env): TerminalFacts {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  return {
    term: environment['TERM'] ?? '',
    utf8: /utf-?8/i.test(locale),
    noColor: (environment['NO_COLOR'] ?? '') !== '',
  };
}

/**
 * Asks terminal libraries for real line characters instead of the alternate character set of old terminals, which
 * tmux and screenshots show as letters. They read it from the environment only.
 */
export function preferUnicodeLines(): void {
  process.env['NCURSES_NO_UTF8_ACS'] = '1';
}

const ENDINGS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

/** Calls back when somebody wants the program to end; the returned function stops listening. */
export function onEndingSignal(callback: () => void): () => void {
  for (const signal of ENDINGS) process.on(signal, callback);
  return () => {
    for (const signal of ENDINGS) process.off(signal, callback);
  };
}
