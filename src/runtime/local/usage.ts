import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { PartUsage } from '../../model/metrics.js';

/** Clock ticks per second in /proc/PID/stat; 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface CpuSample {
  readonly seconds: number;
  readonly at: number;
}

/** CPU seconds used so far and memory (proportional set size where the system tells) of a process; null when it is gone. */
export function measure(pid: number): { cpuSeconds: number; memoryBytes: number } | null {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return null;
  }
}

function fromProc(pid: number): { cpuSeconds: number; memoryBytes: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS;
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return { cpuSeconds, memoryBytes: Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024 };
}

function fromPs(pid: number): { cpuSeconds: number; memoryBytes: number } {
  const [time = '0:0', rss = '0'] = execFileSync('ps', ['-o', 'time=,rss=', '-p', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/);
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return { cpuSeconds: seconds, memoryBytes: Number(rss) * 1024 };
}

/** A part's usage from two samples. */
export function usageOf(part: string, memoryBytes: number, now: CpuSample, before: CpuSample | undefined): PartUsage {
  const elapsed = before === undefined ? 0 : (now.at - before.at) / 1000;
  const cpu = before === undefined || elapsed <= 0 ? 0 : (now.seconds - before.seconds) / elapsed;
  return { part, cpu: Math.max(0, cpu), memoryBytes };
}
