import { readdirSync, readFileSync } from 'node:fs';

/** Variable in the environment of every app of ours: tells its descendants from other people's processes. */
export const MARK = 'MESH_SANDBOX_ID';

/**
 * Ends what an app has left behind in its process group after the app itself is gone. Where the system tells (Linux) only
 * processes with the sandbox's mark in their environment are touched, since a number may have been given away again.
 */
export function endGroup(leader: number, sandboxId: string): void {
  if (process.platform === 'linux') {
    for (const pid of membersOf(leader)) if (isMarked(pid, sandboxId)) kill(pid);
  } else kill(-leader);
}

function membersOf(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => groupOf(pid) === group)
    .map(Number);
}

/** Third field after the command's name in /proc/PID/stat; -1 when the process is gone. */
function groupOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return -1;
  }
}

function isMarked(pid: number, sandboxId: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${MARK}=${sandboxId}`);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}
