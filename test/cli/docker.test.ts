import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeDocker, docker } from '../support/docker.js';
import { crashScenario } from './crash.js';
import { type Engine, newcomerScenario } from './scenario.js';

describeDocker('docker', () => {
  const ours = (home: string): string =>
    `label=dev.mesh-sandbox.owner=${readFileSync(join(home, 'owner'), 'utf8').trim()}`;
  const engine: Engine = {
    async kill(cli, part) {
      const id = docker(
        'ps',
        '-q',
        '-f',
        ours(cli.home),
        '-f',
        'label=dev.mesh-sandbox.name=bookinfo',
        '-f',
        `label=dev.mesh-sandbox.part=${part}`,
      );
      docker('kill', id);
    },
    async leftovers(cli) {
      const filter = ours(cli.home);
      return [
        docker('ps', '-aq', '-f', filter),
        docker('network', 'ls', '-q', '-f', filter),
        docker('volume', 'ls', '-q', '-f', filter),
        ...readdirSync(join(cli.home, 'sandboxes')),
      ].filter(Boolean);
    },
  };
  newcomerScenario('docker', engine);
  crashScenario('docker', engine);
});
