import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crashScenario } from './crash.js';
import { outsideScenario } from './outside.js';
import { type Engine, newcomerScenario } from './scenario.js';

const engine: Engine = {
  async kill(cli, part) {
    const known = JSON.parse(readFileSync(join(cli.home, 'sandboxes/bookinfo/processes.json'), 'utf8')) as {
      part: string;
      pid: number;
    }[];
    process.kill(known.find((entry) => entry.part === part)?.pid ?? 0, 'SIGKILL');
  },
  async leftovers(cli) {
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(cli.home));
    return [...processes, ...readdirSync(join(cli.home, 'sandboxes'))];
  },
};

newcomerScenario('local', engine);
crashScenario('local', engine);
outsideScenario('local', engine);
