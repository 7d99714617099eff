import { describe } from 'vitest';
import { LocalRuntime } from '../../src/runtime/local/local-runtime.js';
import { freePort } from '../../src/runtime/ports.js';
import { runtimeContract } from './contract.js';
import { processTests } from './local-processes.js';

describe('local runtime', () => {
  runtimeContract(
    async (programs) => ({ runtime: new LocalRuntime('as asked', programs), listen: [await freePort()] }),
    processTests,
  );
});
