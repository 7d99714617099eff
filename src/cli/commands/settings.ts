import type { Command } from 'commander';
import type { MeshClient } from '../../client/mesh-client.js';
import { nearest } from '../../model/nearest.js';
import type { Features, LoadStatus } from '../../protocol/api-types.js';
import { SandboxError } from '../../runtime/runtime.js';
import { type Context, clientOf, findSandbox } from '../context.js';
import { table } from '../output.js';
import { number } from '../parse.js';

/** What each feature is, and what switching it means. */
const FEATURES = {
  mtls: {
    what: 'sidecars prove who they are and encrypt; plaintext from outside the mesh is still taken',
    on: { mtls: 'permissive' },
    off: { mtls: 'disable' },
    isOn: ({ mtls }: Features) => mtls !== 'disable',
  },
  'strict-mtls': {
    what: 'plaintext is refused',
    on: { mtls: 'strict' },
    off: { mtls: 'permissive' },
    isOn: ({ mtls }: Features) => mtls === 'strict',
  },
  retries: {
    what: "failed tries are repeated: Istio's default everywhere, and what x-mesh says",
    on: { retries: true },
    off: { retries: false },
    isOn: ({ retries }: Features) => retries,
  },
} as const;

/** `features` and `load`. */
export function addSettings(program: Command, context: Context): void {
  const features = program.command('features').description('what is switched on; one at a time is how to learn it');
  const named = (command: Command): Command => command.option('--name <name>', 'which sandbox');
  named(
    features
      .command('list', { isDefault: true })
      .description('all features and their state')
      .option('-o, --output <format>', 'text or json', 'text'),
  ).action(async (flags: { name?: string; output: string }) => {
    const state = await clientOf(findSandbox(context, flags.name)).call('features', {});
    if (flags.output === 'json') return context.output.json(state);
    const rows = Object.entries(FEATURES).map(([name, { what, isOn }]) => [name, isOn(state) ? 'on' : 'off', what]);
    for (const line of table(['FEATURE', 'STATE', 'WHAT'], rows)) context.output.print(line);
  });
  for (const verb of ['enable', 'disable'] as const) {
    named(
      features.command(verb).description(`${verb} a feature`).argument('<feature>', Object.keys(FEATURES).join(', ')),
    ).action(async (feature: string, flags: { name?: string }) => {
      await clientOf(findSandbox(context, flags.name)).call('setFeatures', changeOf(feature, verb));
      context.output.say(
        `${context.output.style('green', '✓')} ${feature} is ${verb === 'enable' ? 'on' : 'off'}; every sidecar obeys`,
      );
    });
  }
  named(
    program
      .command('load')
      .description('the built-in traffic: show it, or set its rate')
      .argument('[rps]', 'requests per second', number(0, 5000))
      .option('--path <path...>', 'what to ask for, in turn'),
  ).action(async (rps: number | undefined, flags: { name?: string; path?: string[] }) => {
    const client = clientOf(findSandbox(context, flags.name));
    const load = await change(client, rps, flags.path);
    context.output.print(
      `${load.rps} requests/s to ${load.paths.join(', ')}: ${load.sent} sent, ${load.ok} ok, ${load.failed} failed, ${load.missed} missed`,
    );
  });
}

function changeOf(feature: string, verb: 'enable' | 'disable'): Partial<Features> {
  const found = Object.entries(FEATURES).find(([name]) => name === feature)?.[1];
  if (found !== undefined) return verb === 'enable' ? found.on : found.off;
  const names = Object.keys(FEATURES);
  const close = nearest(feature, names);
  throw new SandboxError(
    `unknown feature ${JSON.stringify(feature)}${close === null ? '' : `; did you mean ${close}?`}`,
    [`there are: ${names.join(', ')}`],
  );
}

function change(client: MeshClient, rps: number | undefined, paths: string[] | undefined): Promise<LoadStatus> {
  if (rps === undefined && paths === undefined) return client.call('load', {});
  return client.call('setLoad', { ...(rps === undefined ? {} : { rps }), ...(paths === undefined ? {} : { paths }) });
}
