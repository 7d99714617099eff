import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../../src/control-plane/authority/authority.js';
import { systemClock } from '../../src/platform/clock.js';
import { OPERATIONS, type OperationName } from '../../src/protocol/api.js';
import type { WorkloadView } from '../../src/protocol/api-types.js';
import { newKeyAndRequest } from '../../src/workload/csr.js';
import { appOf, workload } from '../support/apps.js';
import { TERMS } from '../support/authority.js';
import { until } from '../support/until.js';
import { startPlane, type TestPlane } from './plane.js';
import { hello, join, type Proof, StreamClient } from './stream-client.js';

/** `ratings` joined well and stays; what the others do must not cost it anything. */
let plane: TestPlane;
let ratings: StreamClient;
let web: Proof;
const open: StreamClient[] = [];

beforeAll(async () => {
  plane = await startPlane(
    appOf([workload('web'), workload('ratings'), workload('reviews-v1'), workload('reviews-v2')]),
  );
  web = await join(plane, 'web');
  ratings = new StreamClient(plane, await join(plane, 'ratings'));
  ratings.say(hello('ratings'));
  await until(() => ratings.version > 0, 'ratings has its configuration');
});
afterAll(() => {
  ratings.close();
  plane.close();
});

/** Every operation that only reads answers, and who behaved is there and is told of changes. */
afterEach(async () => {
  for (const client of open.splice(0)) client.close();
  expect(ratings.closed).toBe(false);
  for (const name of Object.keys(OPERATIONS) as OperationName[])
    if (OPERATIONS[name].method === 'GET' && !OPERATIONS[name].path.includes(':')) await plane.client.call(name, {});
  const before = ratings.version;
  ratings.say({ type: 'ack', version: before });
  const mtls = plane.plane.features.mtls === 'strict' ? 'permissive' : 'strict';
  const obeyed = plane.client.call('setFeatures', { mtls });
  await until(() => ratings.version > before, 'ratings has the next configuration');
  ratings.say({ type: 'ack', version: ratings.version });
  await obeyed;
});

function client(options: object = {}): StreamClient {
  const made = new StreamClient(plane, options);
  open.push(made);
  return made;
}

const view = (name: string) => plane.plane.workloads().find((found) => found.name === name) as WorkloadView;
const tokenFor = (name: string) => plane.plane.tokens.mint(name);
const issued = () => plane.plane.identities.views().reduce((sum, identity) => sum + identity.issued, 0);
const UNKNOWN = 'the join token is unknown, used or expired';

describe('joining', () => {
  it.each<[string, () => unknown]>([
    ['a token that nobody made', () => 'A'.repeat(43)],
    ['no token', () => undefined],
    ['a token that is an object', () => ({ toString: null })],
    ['a token for nobody in this mesh', () => tokenFor('stranger')],
  ])('is refused with %s', async (_, token) => {
    const before = issued();
    const peer = client();
    peer.say({ type: 'join', token: token(), csr: newKeyAndRequest().csr });
    expect(await peer.refusal()).not.toBe('');
    await peer.gone();
    expect(issued()).toBe(before);
  });

  it('is refused with a token that was used, and the reason is the same as for a wrong one', async () => {
    const token = tokenFor('web');
    const [first, second, wrong] = [client(), client(), client()];
    first.say({ type: 'join', token, csr: newKeyAndRequest().csr });
    await first.gone();
    expect(first.messages[0]?.type).toBe('identity');
    second.say({ type: 'join', token, csr: newKeyAndRequest().csr });
    wrong.say({ type: 'join', token: 'wrong', csr: newKeyAndRequest().csr });
    expect([await second.refusal(), await wrong.refusal()]).toEqual([UNKNOWN, UNKNOWN]);
  });

  it('with a request that is none is refused, and the token is spent', async () => {
    const token = tokenFor('web');
    for (const [csr, reason] of [
      ['please', /./],
      [newKeyAndRequest().csr, new RegExp(UNKNOWN)],
    ]) {
      const peer = client();
      peer.say({ type: 'join', token, csr });
      expect(await peer.refusal()).toMatch(reason as RegExp);
    }
  });

  it('happens once per connection: a second join behind the first is not heard, good or not', async () => {
    const [first, second] = [tokenFor('web'), tokenFor('web')];
    for (const token of ['wrong', first]) {
      const peer = client();
      const { csr } = newKeyAndRequest();
      peer.say({ type: 'join', token, csr }, { type: 'join', token: second, csr });
      await peer.gone();
      expect(peer.messages.length).toBe(1);
    }
    expect(plane.plane.tokens.redeem(second)).toBe('web');
  });
});

describe('without a certificate of ours', () => {
  it.each<[string, object]>([
    ['hello', hello('web')],
    ['csr', { type: 'csr', csr: newKeyAndRequest().csr }],
    ['health', { type: 'health', appReady: true }],
    ['ack', { type: 'ack', version: 1 }],
  ])('%s is refused', async (_, message) => {
    const before = issued();
    const peer = client();
    peer.say(message);
    expect(await peer.refusal()).toBe('join first');
    expect(issued()).toBe(before);
    expect(view('web').sidecar).not.toBe('connected');
  });

  it('a certificate of another root is none', async () => {
    const directory = mkdtempSync(joinPath(tmpdir(), 'mesh-stranger-'));
    const stranger = await Authority.open(directory, systemClock, TERMS);
    const { key, certificate } = await stranger.serverCredentials(view('web').spiffeId, 'stranger');
    rmSync(directory, { recursive: true, force: true });
    const peer = client({ key, cert: certificate });
    peer.say(hello('web'));
    expect(await peer.refusal()).toBe('join first');
  });

  it('TLS 1.2 and what is no TLS at all end without an answer', async () => {
    const old = client({ maxVersion: 'TLSv1.2' });
    expect(await old.refusal()).toBe('');
    for (const text of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\xff\xff', '\0'.repeat(1_000)]) {
      const socket = connect(plane.controlPort, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(text, 'latin1');
      socket.resume();
      await once(socket, 'close');
    }
  });
});

describe('hello', () => {
  it.each(['ratings', 'gateway', 'load', 'control-plane', 'stranger', '', '__proto__'])(
    'of %j is refused to the certificate of web',
    async (name) => {
      const before = view('ratings');
      const peer = client(web);
      peer.say(hello(name));
      expect(await peer.refusal()).toBe('the certificate is not for this workload');
      await peer.gone();
      expect(view('ratings')).toMatchObject({ sidecar: 'connected', listenPorts: before.listenPorts });
      expect(view('web').sidecar).not.toBe('connected');
    },
  );

  it('of another version of the same service account is taken: they are one identity', async () => {
    const peer = client(await join(plane, 'reviews-v1'));
    peer.say(hello('reviews-v2'));
    await until(() => peer.version > 0, 'its configuration');
    expect(view('reviews-v2').sidecar).toBe('connected');
    expect(view('reviews-v1').sidecar).toBe('waiting');
  });

  it('may not use up the numbers of versions', async () => {
    const peer = client(web);
    const before = plane.plane.status().version;
    peer.say(hello('web', { version: Number.MAX_SAFE_INTEGER }));
    await until(() => peer.version > 0, 'its configuration');
    expect(plane.plane.status().version).toBeLessThan(before + 1_000);
  });

  it('tells figures of itself only', async () => {
    const peer = client(web);
    peer.say(hello('web'));
    await until(() => peer.version > 0, 'its configuration');
    const attempts = { source: 'ratings', service: 'x', destination: 'y', attempts: 9, failures: 9, retries: 0 };
    const report = { faultHits: {}, cpuMicros: 0, rssBytes: 0, openConnections: 0 };
    peer.say({ type: 'metrics', edges: [], attempts: [attempts, { ...attempts, source: 'web' }], ...report });
    await until(async () => (await plane.client.call('edges', {})).some(({ source }) => source === 'web'), 'its own');
    expect((await plane.client.call('edges', {})).map(({ source }) => source)).not.toContain('ratings');
  });

  it('comes first', async () => {
    const peer = client(web);
    peer.say({ type: 'csr', csr: newKeyAndRequest().csr }, hello('web'));
    expect(await peer.refusal()).toBe('hello first');
    await peer.gone();
    expect(view('web').sidecar).not.toBe('connected');
  });

  it('comes once', async () => {
    const peer = client(web);
    peer.say(hello('web'), hello('web'));
    expect(await peer.refusal()).toBe('hello was said already');
  });

  it.each<[string, object]>([
    ['no ports', { listenPorts: null }],
    ['ports that are words', { listenPorts: { 'in:9080': 'http' } }],
    ['no version', { version: undefined }],
    ['an endless version', { version: 'ENDLESS' }],
    ['a word for readiness', { appReady: 'yes' }],
    ['a program that does not exist', { program: 'shell' }],
  ])('with %s is refused', async (_, overrides) => {
    const peer = client(web);
    peer.write(`${JSON.stringify(hello('web', overrides)).replace('"ENDLESS"', '1e999')}\n`);
    expect(await peer.refusal()).not.toBe('');
    expect(view('web').sidecar).not.toBe('connected');
    expect(Number.isSafeInteger(plane.plane.status().version)).toBe(true);
  });
});

const JUNK = [
  'no JSON',
  '5',
  'null',
  '[]',
  '""',
  '{}',
  '{"type":5}',
  '{"type":"shutdown"}',
  '{"type":"__proto__"}',
  '\0',
];

describe('junk', () => {
  it.each(JUNK)('%j ends the connection of who is not known, and nothing behind it is heard', async (line) => {
    const token = tokenFor('web');
    const peer = client();
    peer.write(`${line}\n${JSON.stringify({ type: 'join', token, csr: newKeyAndRequest().csr })}\n`);
    expect(await peer.refusal()).not.toBe('');
    await peer.gone();
    expect(plane.plane.tokens.redeem(token)).toBe('web');
  });

  it.each(JUNK)(
    '%j ends the connection of a workload, which is then gone, whatever it goes on saying',
    async (line) => {
      const peer = client(web);
      peer.say(hello('web'));
      await until(() => view('web').sidecar === 'connected', 'web is there');
      peer.write(`${line}\n`);
      expect(await peer.refusal()).not.toBe('');
      await until(() => view('web').sidecar === 'disconnected', 'web is gone');
      peer.say({ type: 'nack', version: 1, reason: 'still here' });
      await peer.gone();
      expect(view('web').nack).toBeNull();
    },
  );

  it.each<[string, object]>([
    ['ports', { type: 'ports', listenPorts: null }],
    ['health', { type: 'health', appReady: 'yes' }],
    ['ack', { type: 'ack', version: '9' }],
    ['nack', { type: 'nack', version: 1, reason: { toString: null } }],
    ['csr', { type: 'csr', csr: 5 }],
    ['metrics without counts', { type: 'metrics' }],
    ['metrics of nothing', { type: 'metrics', edges: [null], attempts: [], faultHits: {} }],
    ['records of nothing', { type: 'exchanges', exchanges: [null], dropped: 0 }],
    ['records without content', { type: 'exchanges', exchanges: [{}], dropped: 0 }],
    ['a load report of words', { type: 'load-report', sent: 'a', ok: 'b', failed: 'c', missed: 'd' }],
  ])('inside a message ends the connection: %s', async (_, message) => {
    const peer = client(web);
    peer.say(hello('web'));
    await until(() => peer.version > 0, 'web is there');
    const load = plane.plane.load();
    peer.say(message);
    expect(await peer.refusal()).not.toBe('');
    await until(() => view('web').sidecar === 'disconnected', 'web is gone');
    expect(view('web')).toMatchObject({ nack: null, listenPorts: { 'in:9080': 1 } });
    expect(plane.plane.load()).toEqual(load);
  });

  it('without an end is cut off at 64 KiB for who is not known, at 8 MiB for a workload', async () => {
    for (const [proof, limit] of [
      [{}, 64 * 1024],
      [web, 8 * 1024 * 1024],
    ] as const) {
      const peer = client(proof);
      const heard = plane.warnings.length;
      if (proof === web) peer.say(hello('web'));
      const piece = 'x'.repeat(16 * 1024);
      for (let sent = 0; sent < limit + 512 * 1024; sent += piece.length) peer.write(piece);
      await peer.gone();
      const said = plane.warnings.slice(heard).filter((line) => line.includes(`longer than ${limit} bytes`));
      expect(said.length).toBe(1);
    }
  });
});

describe('a refused configuration', () => {
  it('is reported with its reason, stays unacknowledged, and the next good one clears it', async () => {
    const peer = client(web);
    peer.say(hello('web'));
    await until(() => peer.version > 0, 'its configuration');
    const first = peer.version;
    peer.say({ type: 'ack', version: first });
    await until(() => view('web').ackedVersion === first, 'the first is obeyed');

    const change = plane.client.call('addFault', { name: 'slow', to: 'web', delayMs: 1 });
    await until(() => peer.version > first, 'the second');
    const second = peer.version;
    peer.say({ type: 'nack', version: second, reason: 'no such filter' });
    expect(await change).toMatchObject({ name: 'slow', active: false });
    expect(view('web')).toMatchObject({ nack: 'no such filter', ackedVersion: first, wantedVersion: second });
    const { text, level } = plane.plane.notices[plane.plane.notices.length - 1] as { text: string; level: string };
    expect([level, text]).toEqual(['error', `web refused configuration ${second}: no such filter`]);
    expect(peer.closed).toBe(false);

    await Promise.all([
      plane.client.call('clearFaults', {}),
      until(() => peer.version > second, 'the third').then(() => peer.say({ type: 'ack', version: peer.version })),
    ]);
    await until(() => view('web').nack === null, 'the refusal is over');
    expect(view('web').ackedVersion).toBe(peer.version);
  });
});
