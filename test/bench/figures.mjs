// Every figure that is promised: what it is, what it must reach and what it aims at, and how it is measured. Figures that
// come from one measurement form a group; both names can be asked for.
import { existsSync } from 'node:fs';
import { applies, policyTimes } from './apply.mjs';
import * as dataPlane from './data-plane.mjs';
import { median, ratioOf } from './measure.mjs';
import { OURS } from './peers/index.mjs';
import {
  cliFile,
  comebacks,
  engineAnswers,
  helpTime,
  imageAssembly,
  restarts,
  sidecarMemory,
  upAndDown,
} from './sandbox.mjs';

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} what
 * @property {string} unit Of `ours` and `peerValue`.
 * @property {string} [peer] Who else is measured; then must and aim are about the ratio ours / peer.
 * @property {'lower' | 'higher'} better
 * @property {number | null} must
 * @property {number | null} aim
 *
 * @typedef {object} Reached
 * @property {number} [ours]
 * @property {number} [peerValue]
 * @property {number} [ratio]
 * @property {string} [note]
 * @property {string} [missing] Why it was not measured.
 *
 * @typedef {object} Group
 * @property {string} name
 * @property {'data plane' | 'sandbox'} of
 * @property {Figure[]} figures
 * @property {() => string | null} obstacle Why it cannot be measured here.
 * @property {(options: { quick: boolean, figures: Figure[]}) => Promise<Map<string, Reached>>} measure
 */

const MB = 1e6;

const figure = (name, what, unit, must, aim, more = {}) => ({ name, what, unit, must, aim, better: 'lower', ...more });
const versus =
  (group, what, unit, more = {}) =>
  (peer, must, aim) =>
    figure(`${group}-vs-${peer}`, `${what}, vs ${PEER_WORDS[peer]}`, unit, must, aim, { peer, ...more });

const PEER_WORDS = {
  envoy: 'Envoy as a mesh configures it',
  nginx: 'nginx',
  haproxy: 'HAProxy',
  apache: 'Apache',
  'http-proxy-3': 'http-proxy-3 with a keep-alive agent',
  'http-proxy': 'http-proxy with its defaults',
};

const plain = versus('plain', 'CPU per request, plain hop, 1 KB, 50 connections', 'us');
const pair = versus('pair', 'CPU per request, mutual TLS pair, 1 KB, 50 connections', 'us');
const hop = versus('hop', 'p50 added by a hop, one connection', 'us');
const bulk = versus('bulk', 'bodies of 1 MiB, gigabytes per core-second', 'GB', { better: 'higher' });

const rounds = (quick) => (quick ? { rounds: 2, seconds: 2 } : { rounds: 7, seconds: 3 });

/** @type {Group[]} */
const DATA_PLANE = [
  {
    name: 'plain',
    figures: [
      plain('envoy', 0.65, 0.5),
      plain('nginx', 2.1, 1.6),
      plain('haproxy', null, null),
      plain('apache', null, null),
      plain('http-proxy-3', 1 / 3, 1 / 4),
      plain('http-proxy', 1 / 8, 1 / 12),
    ],
    measure: async ({ quick, figures }) =>
      compare(figures, await dataPlane.cpuPerRequest({ shape: 'plain', peers: peersOf(figures), ...rounds(quick) })),
  },
  {
    name: 'pair',
    figures: [pair('envoy', 0.75, 0.55), pair('nginx', 1.9, 1.4), pair('haproxy', null, null)],
    measure: async ({ quick, figures }) =>
      compare(figures, await dataPlane.cpuPerRequest({ shape: 'pair', peers: peersOf(figures), ...rounds(quick) })),
  },
  {
    name: 'hop',
    figures: [hop('nginx', 1.4, 1.2), hop('haproxy', null, null), hop('envoy', null, null)],
    measure: async ({ quick, figures }) =>
      compare(figures, await dataPlane.hopLatency({ peers: peersOf(figures), ...rounds(quick) })),
  },
  {
    name: 'open-loop',
    figures: [
      figure('open-loop-p99', 'p99 added by a mutual TLS pair at 1000 requests/s, open loop', 'ms', 3, 1.5),
      ...['nginx', 'envoy'].map((peer) => versus('open-loop', 'the same', 'ms')(peer, null, null)),
    ],
    measure: async ({ quick, figures }) => {
      const result = await dataPlane.openLoop({ peers: peersOf(figures), ...rounds(quick) });
      const inMs = new Map([...result.samples].map(([name, values]) => [name, values.map((value) => value / 1000)]));
      // Near zero, or below it by chance: a ratio would say nothing.
      const reached = compare(figures, { ...result, samples: inMs }, false);
      const of = (name, key) => median(result.details.get(name).map((told) => key(told))) / 1000;
      const ours = inMs.get(OURS.NAME);
      reached.set('open-loop-p99', {
        ours: median(ours),
        note: `${spread(ours)} ms; added p50 ${(of(OURS.NAME, (told) => told.p50) - of('direct', (told) => told.p50)).toFixed(2)} ms, p99 whole ${of(OURS.NAME, (told) => told.p99).toFixed(2)} ms, without a proxy ${of('direct', (told) => told.p99).toFixed(2)} ms, generator late p99 ${of(OURS.NAME, (told) => told.late.p99).toFixed(2)} ms`,
      });
      return reached;
    },
  },
  {
    name: 'bulk',
    figures: [bulk('haproxy', 0.7, 0.9), bulk('nginx', null, null), bulk('envoy', null, null)],
    measure: async ({ quick, figures }) =>
      compare(figures, await dataPlane.bulk({ peers: peersOf(figures), ...rounds(quick) })),
  },
  {
    name: 'leak',
    figures: [
      figure('leak', 'memory growth over 1,000,000 requests, 5 % client aborts, 5 % upstream resets', 'MB', 10, 3),
    ],
    measure: async ({ quick }) => {
      const requests = quick ? 100_000 : 1_000_000;
      const { growth, lazy, heap, from, trend, counts } = await dataPlane.memoryGrowth({ requests });
      const mb = (bytes) => (bytes / MB).toFixed(1);
      return new Map([
        [
          'leak',
          {
            ours: growth / MB,
            note: `RSS after collection, from ${mb(from)} MB; without asking for collection ${mb(lazy)}, live heap ${mb(heap)}; each tenth ${trend.map(mb).join(' ')}; ${counts.sent} sent: ${counts.ok} ok, ${counts.aborted} aborted, ${counts.failed + counts.broken} failed or broken by resets`,
          },
        ],
      ]);
    },
  },
  {
    name: 'slow-reader',
    figures: [figure('slow-reader', 'memory growth, 1 GiB offered to a reader of 64 KiB/s', 'MB', 32, 8)],
    measure: async ({ quick }) => {
      const seconds = quick ? 8 : 45;
      const { growth, from, read } = await dataPlane.slowReader({ seconds });
      const note = `highest RSS in ${seconds} s, from ${(from / MB).toFixed(1)} MB; ${(read / 1024).toFixed(0)} KiB read of what was offered (time is bounded)`;
      return new Map([['slow-reader', { ours: growth / MB, note }]]);
    },
  },
];

/** Runtimes on which the sandbox can be measured here. */
const RUNTIMES = ['local', 'docker'];
const perRuntime = (name, what, unit, must) =>
  RUNTIMES.map((runtime) =>
    figure(`${name}-${runtime}`, `${what}, ${runtime}`, unit, typeof must === 'object' ? must[runtime] : must, null),
  );
const runtimesOf = (figures) => RUNTIMES.filter((runtime) => figures.some(({ name }) => name.endsWith(`-${runtime}`)));

/** Asks for each runtime that is wanted and there. */
async function onEach(figures, measure) {
  const reached = new Map();
  for (const runtime of runtimesOf(figures)) {
    if (runtime === 'docker' && !engineAnswers()) {
      for (const { name } of figures)
        if (name.endsWith('-docker')) reached.set(name, { missing: 'no Docker Engine answers' });
    } else for (const [name, value] of Object.entries(await measure(runtime))) reached.set(`${name}-${runtime}`, value);
  }
  return reached;
}

/** @type {Group[]} */
const SANDBOX = [
  {
    name: 'help',
    figures: [figure('help', '--help', 'ms', 150, null)],
    measure: async () => new Map([['help', { ours: helpTime() }]]),
  },
  {
    name: 'up-down',
    figures: [
      ...perRuntime('up', 'up -d of bookinfo to the first 200', 's', { local: 2.5, docker: 5 }),
      ...perRuntime('down', 'down', 's', 3),
    ],
    measure: ({ quick, figures }) =>
      onEach(figures, async (runtime) => {
        const { up, down, upMax, downMax } = await upAndDown(runtime, quick ? 2 : 5);
        return {
          up: { ours: up, note: `max ${upMax.toFixed(2)} s` },
          down: { ours: down, note: `max ${downMax.toFixed(2)} s` },
        };
      }),
  },
  {
    name: 'image',
    figures: [figure('image', 'image assembled offline', 's', 10, null)],
    measure: async () =>
      new Map([['image', engineAnswers() ? { ours: await imageAssembly() } : { missing: 'no Docker Engine answers' }]]),
  },
  {
    name: 'memory',
    figures: [
      ...perRuntime('memory-idle', 'sidecar memory idle', 'MiB', 25),
      ...perRuntime('memory-loaded', 'sidecar memory after a minute at 500 requests/s', 'MiB', 50),
    ],
    measure: ({ quick, figures }) =>
      onEach(figures, async (runtime) => {
        const { idle, loaded, load } = await sidecarMemory(runtime, 500, quick ? 15 : 60);
        return {
          'memory-idle': { ours: idle.median, note: `max ${idle.max.toFixed(1)}` },
          'memory-loaded': { ours: loaded.median, note: `max ${loaded.max.toFixed(1)}; ${load}` },
        };
      }),
  },
  {
    name: 'restarts',
    figures: perRuntime('restarts', 'requests not answered 200 or answered twice, control plane killed 5 times', '', 0),
    measure: ({ quick, figures }) =>
      onEach(figures, async (runtime) => {
        const requests = quick ? 1_000 : 10_000;
        const { statuses, seen, duplicates } = await restarts(runtime, requests, 5);
        const apps = Object.entries(seen).map(([app, count]) => `${app} ${count}`);
        return {
          restarts: {
            ours: requests - (statuses[200] ?? 0) + duplicates,
            note: `${JSON.stringify(statuses)}, ${duplicates} duplicates; seen by the apps: ${apps.join(', ')}`,
          },
        };
      }),
  },
  {
    name: 'comebacks',
    figures: [
      ...perRuntime('comeback-sidecar', 'a killed sidecar is back, slowest', 's', 2),
      ...perRuntime('comeback-control-plane', 'a killed control plane is back, slowest', 's', 2),
    ],
    measure: ({ quick, figures }) =>
      onEach(figures, async (runtime) => {
        const { sidecar, controlPlane } = await comebacks(runtime, quick ? 1 : 5);
        return { 'comeback-sidecar': { ours: sidecar }, 'comeback-control-plane': { ours: controlPlane } };
      }),
  },
  {
    name: 'policies',
    figures: [
      figure('compile-1000', '1,000 resources read, checked and compiled for 1,000 workloads', 'ms', 1_000, null),
      figure('analyze-1000', '1,000 resources analysed', 'ms', 2_000, null),
      figure('hostile-yaml', '1 MB of hostile YAML refused, the slowest kind', 'ms', 200, null),
    ],
    measure: async ({ quick }) => {
      const { compile, analyze, hostile, slowest } = await policyTimes(quick ? 1 : 7);
      const row = (values, note = '') => ({ ours: median(values), note: `${spread(values)}${note}` });
      return new Map([
        ['compile-1000', row(compile)],
        ['analyze-1000', row(analyze)],
        ['hostile-yaml', row(hostile, `; ${slowest}`)],
      ]);
    },
  },
  {
    name: 'apply',
    figures: [
      figure('apply-50', 'one changed rule until the last of 50 sidecars serves by it', 'ms', 100, 50),
      figure('apply-loaded', 'the same under 200 requests/s', 'ms', 100, 50),
      figure('apply-failures', 'failed requests in 100 applies at 200 requests/s', 'requests', 0, 0),
    ],
    measure: async ({ quick }) => {
      const rounds = quick ? 10 : 100;
      const calm = await applies({ rounds, rps: 0 });
      const loaded = await applies({ rounds, rps: 200 });
      return new Map([
        ['apply-50', { ours: calm.median, note: `slowest ${calm.max.toFixed(0)}` }],
        ['apply-loaded', { ours: loaded.median, note: `slowest ${loaded.max.toFixed(0)}` }],
        ['apply-failures', { ours: loaded.failed, note: `of ${loaded.sent}` }],
      ]);
    },
  },
];

/** @type {Group[]} */
export const GROUPS = [
  ...DATA_PLANE.map((group) => ({ ...group, of: 'data plane', obstacle: dataPlane.missingTools })),
  ...SANDBOX.map((group) => ({
    ...group,
    of: 'sandbox',
    obstacle: () => (existsSync(cliFile) ? null : 'nothing is built (npm run build)'),
  })),
];

function peersOf(figures) {
  return [...new Set(figures.flatMap(({ peer }) => (peer === undefined ? [] : [peer])))];
}

/** Ours against the peer of each figure, from samples by name. */
function compare(figures, { samples, missing }, asRatio = true) {
  const ours = samples.get(OURS.NAME);
  return new Map(
    figures
      .filter(({ peer }) => peer !== undefined)
      .map(({ name, peer }) => {
        const theirs = samples.get(peer);
        if (theirs === undefined) return [name, { ours: median(ours), missing: `${peer}: ${missing.get(peer)}` }];
        const both = { ours: median(ours), peerValue: median(theirs) };
        const note = `ours ${spread(ours)}, ${peer} ${spread(theirs)}`;
        if (!asRatio) return [name, { ...both, note }];
        const { ratio, min, max } = ratioOf(ours, theirs);
        return [name, { ...both, ratio, note: `ratios ${min.toFixed(2)}-${max.toFixed(2)}; ${note}` }];
      }),
  );
}

function spread(values) {
  return `${Math.min(...values).toPrecision(3)}-${Math.max(...values).toPrecision(3)}`;
}
