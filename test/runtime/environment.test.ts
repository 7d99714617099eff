import { describe, expect, it } from 'vitest';
import { appCommand } from '../../src/runtime/local/app-command.js';
import { appEnvironment, rewriteAddresses } from '../../src/runtime/local/environment.js';
import { appOf, workload } from '../support/apps.js';

const app = appOf([
  workload('reviews-v1'),
  workload('ratings'),
  workload('rat', { ports: [{ port: 80, protocol: 'http' }] }),
]);
const ports = { 'out:reviews:9080': 41001, 'out:ratings:9080': 41002, 'out:rat:80': 41003 };
const rewrite = (text: string): string => rewriteAddresses(text, app, ports);

describe('addresses in an app’s environment (local runtime)', () => {
  it.each([
    ['http://ratings:9080', 'http://127.0.0.1:41002'],
    ['http://ratings:9080/ratings/0?x=1', 'http://127.0.0.1:41002/ratings/0?x=1'],
    ['http://ratings.default:9080', 'http://127.0.0.1:41002'],
    ['http://ratings.default.svc:9080', 'http://127.0.0.1:41002'],
    ['http://ratings.default.svc.cluster.local:9080/a', 'http://127.0.0.1:41002/a'],
    ['ratings:9080', '127.0.0.1:41002'],
    ['ratings:9080,reviews:9080', '127.0.0.1:41002,127.0.0.1:41001'],
    ['{"url":"http://reviews:9080"}', '{"url":"http://127.0.0.1:41001"}'],
    ['http://rat', 'http://127.0.0.1:41003'],
    ['http://rat/x', 'http://127.0.0.1:41003/x'],
    ['http://rat.default.svc.cluster.local/x', 'http://127.0.0.1:41003/x'],
  ])('%s becomes %s', (before, after) => expect(rewrite(before)).toBe(after));

  it.each([
    'http://ratings:90801',
    'http://ratings:9081',
    'http://my-ratings:9080',
    'http://ratings.example.com:9080',
    'http://x.ratings:9080',
    'http://rat:8080',
    'http://rating/x',
    'http://rats',
    'ratings',
    'I like ratings',
  ])('%s stays', (text) => expect(rewrite(text)).toBe(text));

  it('holds the workload’s own values, PORT, and of the host only what starts programs', () => {
    const spec = workload('front', { environment: { A: 'http://ratings:9080', PORT: '1' } });
    const environment = appEnvironment(app, spec, 41999, ports, { PATH: '/bin', HOME: '/root', AWS_SECRET: 'x' });
    expect(environment).toMatchObject({ A: 'http://127.0.0.1:41002', PORT: '41999', PATH: '/bin', HOME: '/root' });
    expect(environment).not.toHaveProperty('AWS_SECRET');
  });
});

describe('how an app is started (local runtime)', () => {
  it('says itself, or is one of our programs', () => {
    expect(appCommand(workload('a', { localCommand: ['npm', 'start'] }), '/p')).toEqual(['npm', 'start']);
    const ours = workload('a', { command: ['node', '/opt/mesh-sandbox/samples.cjs', 'ratings'] });
    expect(appCommand(ours, '/p')).toEqual([process.execPath, '/p/samples.cjs', 'ratings']);
  });

  it('does not leave the folder of our programs', () => {
    const outside = workload('a', { command: ['node', '/opt/mesh-sandbox/../../etc/x.js'] });
    expect(() => appCommand(outside, '/p')).toThrow('does not know how to start a');
  });
});
