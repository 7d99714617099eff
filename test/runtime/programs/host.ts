import { LocalRuntime } from '../../../src/runtime/local/local-runtime.js';
import type { SandboxPlan } from '../../../src/runtime/runtime.js';

// Stands for the keeper: starts a sidecar and an app and stays until it is killed.
const [, , programs = '', plan = '{}'] = process.argv;
const host = new LocalRuntime('test', programs).sandbox(JSON.parse(plan) as SandboxPlan);
await host.open();
await host.start('front/sidecar', JSON.stringify({ lifeline: false, listen: [] }));
await host.start('front/app', null, {});
