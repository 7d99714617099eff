import { describeDocker } from '../support/docker.js';
import { runtimeContract } from './contract.js';
import { testEngine, testRuntime } from './docker-bed.js';
import { identityTests } from './docker-identity.js';
import { interceptionTests } from './docker-interception.js';
import { ownershipTests } from './docker-ownership.js';
import { podTests } from './docker-pods.js';
import { profileTests } from './docker-profile.js';

describeDocker('docker runtime', () => {
  runtimeContract(
    async (programs) => ({ runtime: testRuntime(await testEngine(), programs), listen: [15001, 15006] }),
    (stand) => {
      identityTests(stand);
      interceptionTests(stand);
      profileTests(stand);
      ownershipTests(stand);
      podTests(stand);
    },
  );
});
