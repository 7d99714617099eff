import { execFileSync, spawn } from 'node:child_process';
import { describe } from 'vitest';

/** Why nothing can be captured here, or null. */
function whyNot(): string | null {
  if (process.getuid?.() !== 0) return 'only root may capture';
  try {
    execFileSync('tcpdump', ['--version'], { stdio: ['ignore', 'pipe', 'pipe'] });
    return null;
  } catch {
    return 'there is no tcpdump';
  }
}

const problem = whyNot();

/**
 * A suite that looks at what goes over the loopback interface: runs where tcpdump may; else it is skipped and says so
 * loudly, or, with MESH_SANDBOX_REQUIRE_TCPDUMP=1, fails.
 */
export function describeWire(name: string, define: () => void): void {
  if (problem === null) return void describe(name, define);
  if (process.env['MESH_SANDBOX_REQUIRE_TCPDUMP'] === '1') throw new Error(`tcpdump is required: ${problem}`);
  console.warn(`\n*** SKIPPED, ${problem}: ${name} ***\n`);
  describe.skip(name, define);
}

/** What went one way over one connection, in its order. */
export interface Flow {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

export interface Capture {
  /** What was captured so far. */
  flows(): Flow[];
  close(): Promise<void>;
}

/** Captures TCP of some ports on the loopback interface; resolves when it listens. */
export function captureLoopback(ports: readonly number[]): Promise<Capture> {
  // What others say on this machine would crowd out what is looked for.
  const filter = `tcp and (${ports.map((port) => `port ${port}`).join(' or ')})`;
  const tcpdump = spawn('tcpdump', ['-i', 'lo', '-U', '--immediate-mode', '-s', '0', '-B', '8192', '-w', '-', filter]);
  const chunks: Buffer[] = [];
  tcpdump.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => tcpdump.once('close', () => resolve()));
  const capture: Capture = {
    flows: () => flowsOf(Buffer.concat(chunks)),
    close() {
      tcpdump.kill('SIGINT');
      return ended;
    },
  };
  return new Promise((resolve, reject) => {
    let said = '';
    tcpdump.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.includes('listening on')) resolve(capture);
    });
    void ended.then(() => reject(new Error(`tcpdump ended: ${said}`)));
  });
}

/** Lengths of the headers of a pcap file, of one of its packets, and of an Ethernet frame. */
const HEADS = { file: 24, packet: 16, frame: 14 } as const;

function flowsOf(pcap: Buffer): Flow[] {
  const flows = new Map<string, { from: number; to: number; parts: Map<number, Buffer> }>();
  let at: number = HEADS.file;
  while (at + HEADS.packet <= pcap.length) {
    const length = pcap.readUInt32LE(at + 8);
    const start = at + HEADS.packet + HEADS.frame;
    const end = at + HEADS.packet + length;
    if (end > pcap.length) break;
    at = end;
    const ip = pcap.subarray(start, end);
    if (ip.length === 0 || (ip[0] as number) >> 4 !== 4) continue;
    const ipLength = ((ip[0] as number) & 15) * 4;
    const tcp = ip.subarray(ipLength, ip.readUInt16BE(2));
    const payload = tcp.subarray(((tcp[12] as number) >> 4) * 4);
    const [from, to, sequence] = [tcp.readUInt16BE(0), tcp.readUInt16BE(2), tcp.readUInt32BE(4)];
    if (payload.length === 0) continue;
    const flow = flows.get(`${from}>${to}`) ?? { from, to, parts: new Map() };
    flows.set(`${from}>${to}`, flow);
    // A packet that is sent once more has its number again.
    if (!flow.parts.has(sequence)) flow.parts.set(sequence, payload);
  }
  return [...flows.values()].map(({ from, to, parts }) => ({ from, to, bytes: Buffer.concat([...parts.values()]) }));
}
