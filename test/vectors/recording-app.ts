import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Step } from './case.js';

/** A request that an app received. */
export interface Hit {
  readonly pod: string;
  readonly method: string;
  readonly path: string;
  /** Lines as they came: name, value, name, value. */
  readonly lines: readonly string[];
  readonly bodyBytes: number;
  /** Ms, of the app's own clock. */
  readonly at: number;
}

/** Names the pod on its answers; no part of what is compared. */
export const POD_FIELD = 'x-vector-pod';

/** A pod's app: answers as its script says, and keeps what it received. */
export class RecordingApp {
  readonly pod: string;
  readonly #place: { readonly host: string; readonly port: number };
  readonly #open = new Set<Socket>();
  #server: Server | null = null;
  #hole: ChildProcess | null = null;
  #steps: Step[] = [];
  #always: Step = {};
  #hits: Hit[] = [];
  #connections = 0;

  constructor(pod: string, place: { readonly host: string; readonly port: number }) {
    this.pod = pod;
    this.#place = place;
  }

  /** Takes a new script; resolves when it listens, or does not, as the script says. */
  async script(script: Step | readonly Step[] | undefined): Promise<void> {
    const steps = Array.isArray(script) ? [...script] : [];
    const always: Step = script === undefined || Array.isArray(script) ? {} : (script as Step);
    const all = [...steps, always];
    await this.#listen(
      all.some(({ down }) => down) ? 'down' : all.some(({ blackhole }) => blackhole) ? 'blackhole' : 'up',
    );
    this.#steps = steps.flatMap((step) => Array<Step>(step.first ?? 1).fill(step));
    this.#always = {};
    if (always.first !== undefined) this.#steps.push(...Array<Step>(always.first).fill(always));
    else this.#always = always;
  }

  /** Connections that stand belong to what was before. */
  forget(): void {
    for (const socket of this.#open) socket.destroy();
    this.take();
  }

  /** What came since the last call, and how many connections with it. */
  take(): { hits: Hit[]; connections: number } {
    const taken = { hits: this.#hits, connections: this.#connections };
    this.#hits = [];
    this.#connections = 0;
    return taken;
  }

  get port(): number {
    return this.#place.port;
  }

  async close(): Promise<void> {
    await this.#listen('down');
  }

  async #listen(how: 'up' | 'down' | 'blackhole'): Promise<void> {
    if (this.#hole !== null) {
      const gone = new Promise((resolve) => this.#hole?.once('exit', resolve));
      this.#hole.kill('SIGKILL');
      await gone;
      this.#hole = null;
    }
    if (how === 'up' && this.#server !== null) return;
    await this.#end();
    if (how === 'blackhole') this.#hole = await blackHole(this.#place);
    if (how !== 'up') return;
    const server = createServer({ keepAlive: true }, (request, response) => void this.#answer(request, response));
    server.keepAliveTimeout = 0;
    server.on('connection', (socket) => {
      this.#connections++;
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...this.#place, backlog: 1024 }, resolve);
    });
  }

  async #end(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now();
    let bodyBytes = 0;
    request.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length;
    });
    request.on('error', () => {});
    await new Promise((resolve) => request.once('end', resolve).once('close', resolve));
    const { method = '', url = '', rawHeaders } = request;
    this.#hits.push({ pod: this.pod, method, path: url, lines: rawHeaders, bodyBytes, at });
    const step = this.#steps.shift() ?? this.#always;
    if (step.hang) return;
    if (step.delay !== undefined) await pause(step.delay);
    if (step.reset) request.socket.resetAndDestroy();
    else await this.#write(step, response);
  }

  async #write(step: Step, response: ServerResponse): Promise<void> {
    const body =
      step.cut !== undefined ? 'x'.repeat(step.cut) : step.size === undefined ? this.pod : 'x'.repeat(step.size);
    response.statusCode = step.status ?? 200;
    for (const [name, value] of Object.entries(step.headers ?? {})) response.setHeader(name, String(value));
    response.setHeader(POD_FIELD, this.pod);
    response.setHeader('content-length', step.cut === undefined ? body.length : body.length + 1_000);
    if (step.close) response.setHeader('connection', 'close');
    if (step.body_delay !== undefined) {
      response.flushHeaders();
      await pause(step.body_delay);
    }
    if (step.cut === undefined) response.end(body);
    else response.write(body, () => setImmediate(() => response.socket?.resetAndDestroy()));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A listener whose queue is full: the kernel lets further connections wait for ever. */
async function blackHole({ host, port }: { readonly host: string; readonly port: number }): Promise<ChildProcess> {
  const program = `require('node:net').createServer().listen({ host: ${JSON.stringify(host)}, port: ${port}, backlog: 1 }, () => {
    require('node:fs').writeSync(1, '.');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const fill = Array.from({ length: 4 }, () => connect({ host, port }).on('error', () => {}));
  await Promise.all(fill.slice(0, 2).map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  child.once('exit', () => {
    for (const socket of fill) socket.destroy();
  });
  return child;
}
