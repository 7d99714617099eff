import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { FromControlPlane } from '../../src/protocol/control-stream.js';
import { newKeyAndRequest } from '../../src/workload/csr.js';
import { until } from '../support/until.js';
import type { TestPlane } from './plane.js';

export interface Proof {
  readonly key: string;
  readonly cert: string;
}

/** A peer of the control stream that says what a test wants, and keeps its half open until it is told otherwise. */
export class StreamClient {
  readonly messages: FromControlPlane[] = [];
  /** The control plane says nothing more. */
  ended = false;
  /** The connection is gone. */
  closed = false;
  readonly #socket: TLSSocket;
  #pending = '';

  constructor(plane: TestPlane, options: ConnectionOptions = {}) {
    this.#socket = connect({
      host: '127.0.0.1',
      port: plane.controlPort,
      servername: 'control-plane.mesh-sandbox.internal',
      ca: plane.plane.identities.authority.rootPem,
      allowHalfOpen: true,
      ...options,
    } as ConnectionOptions);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => {
      const lines = (this.#pending + text).split('\n');
      this.#pending = lines.pop() ?? '';
      for (const line of lines) this.messages.push(JSON.parse(line) as FromControlPlane);
    });
    this.#socket.on('error', () => {});
    this.#socket.on('end', () => {
      this.ended = true;
    });
    this.#socket.on('close', () => {
      this.ended = true;
      this.closed = true;
    });
  }

  /** Writes text as it is. */
  write(text: string): void {
    this.#socket.write(text);
  }

  /** Writes each value as a line, all at once. */
  say(...messages: unknown[]): void {
    this.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  /** The last configuration that came. */
  get version(): number {
    return this.messages.reduce((last, message) => {
      if (message.type === 'config') return message.config.version;
      return message.type === 'patch' ? message.patch.version : last;
    }, 0);
  }

  /** Waits for the end and tells why it was refused; '' when no reason came. */
  async refusal(): Promise<string> {
    await until(() => this.ended, 'the control plane ends the connection');
    const last = this.messages[this.messages.length - 1];
    return last?.type === 'refused' ? last.reason : '';
  }

  /** Waits until the other side has taken the connection away; empty lines, which say nothing, find out. */
  async gone(): Promise<void> {
    await until(() => {
      if (!this.closed) this.write('\n');
      return this.closed;
    }, 'the connection is gone');
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Joins as a workload does, and returns what proves it from then on. */
export async function join(plane: TestPlane, workload: string): Promise<Proof> {
  const { keyPem, csr } = newKeyAndRequest();
  const client = new StreamClient(plane);
  client.say({ type: 'join', token: plane.plane.tokens.mint(workload), csr });
  await until(() => client.ended, 'the answer');
  client.close();
  const [answer] = client.messages;
  if (answer?.type !== 'identity') throw new Error(`${workload} may not join: ${JSON.stringify(answer)}`);
  return { key: keyPem, cert: answer.certificate };
}

export function hello(workload: string, overrides: object = {}): object {
  return {
    type: 'hello',
    workload,
    program: 'sidecar',
    version: 0,
    listenPorts: { 'in:9080': 1 },
    appReady: true,
    startedAt: 1,
    ...overrides,
  };
}
