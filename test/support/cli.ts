import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const program = resolve(import.meta.dirname, '../../dist/cli/main.js');

/** The command line as a user runs it, with a home of its own, so that tests do not meet. */
export class Cli {
  readonly home: string;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(home = mkdtempSync(join(tmpdir(), 'mesh-home-')), environment: Readonly<Record<string, string>> = {}) {
    this.home = home;
    this.#environment = environment;
  }

  start(...args: string[]): ChildProcess {
    return this.#spawn(args, 'ignore');
  }

  /** Runs a command that reads a text from its standard input. */
  async runWith(input: string, ...args: string[]): Promise<Finished> {
    const child = this.#spawn(args, 'pipe');
    child.stdin?.on('error', () => {}).end(input);
    return finished(child);
  }

  #spawn(args: readonly string[], input: 'ignore' | 'pipe'): ChildProcess {
    return spawn(process.execPath, [program, ...args], {
      env: { ...process.env, MESH_SANDBOX_HOME: this.home, NO_COLOR: '1', npm_command: '', ...this.#environment },
      stdio: [input, 'pipe', 'pipe'],
    });
  }

  async run(...args: string[]): Promise<Finished> {
    return finished(this.start(...args));
  }

  /** Runs a command that prints JSON; throws with its talk when it fails. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`mesh-sandbox ${args.join(' ')}: ${code}\n${stderr}${stdout.slice(0, 4000)}`);
    return JSON.parse(stdout) as T;
  }

  /** The owner that all labels of this installation carry; there is one after the first `up`. */
  owner(): string {
    return readFileSync(join(this.home, 'owner'), 'utf8').trim();
  }

  /** Everything down, home gone. */
  async close(): Promise<void> {
    await this.run('down', '--all');
    rmSync(this.home, { recursive: true, force: true });
  }
}

export function finished(child: ChildProcess): Promise<Finished> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return new Promise((done) => child.once('close', (code) => done({ code, ...output })));
}
