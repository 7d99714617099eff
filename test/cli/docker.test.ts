import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeDocker, docker, ownedBy } from '../support/docker.js';
import { crashScenario } from './crash.js';
import { outsideScenario } from './outside.js';
import { type Engine, newcomerScenario } from './scenario.js';

describeDocker('docker', () => {
  const engine: Engine = {
    async kill(cli, part) {
      const id = docker(
        'ps',
        '-q',
        '-f',
        `label=dev.mesh-sandbox.owner=${cli.owner()}`,
        '-f',
        'label=dev.mesh-sandbox.name=bookinfo',
        '-f',
        `label=dev.mesh-sandbox.part=${part}`,
      );
      docker('kill', id);
    },
    async leftovers(cli) {
      return [ownedBy(cli.owner()), ...readdirSync(join(cli.home, 'sandboxes'))].filter(Boolean);
    },
  };
  newcomerScenario('docker', engine);
  crashScenario('docker', engine);
  outsideScenario('docker', engine);
});
