import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { interceptionScript } from '../../src/runtime/docker/interception.js';

describe('interception script', () => {
  const script = interceptionScript();

  it('is valid for any sh', () => {
    expect(execFileSync('sh', ['-n'], { input: script, encoding: 'utf8' })).toBe('');
  });

  it('flushes, deletes and replaces nothing that is not ours', () => {
    expect(script).not.toMatch(/\s(-F|-X|-D|-P|-Z|--flush|--delete|--policy)\b/);
    expect(script.match(/-restore /g)).toHaveLength(2);
    expect(script.match(/--noflush/g)).toHaveLength(2);
    for (const [chain] of script.matchAll(/(?<=:)[A-Z_]+(?= - )/g)) expect(chain).toMatch(/^MESH_/);
  });

  it('lets the sidecar pass before it redirects anybody', () => {
    const at = (rule: string): number => script.indexOf(rule);
    expect(at('-A MESH_OUTPUT -m owner --uid-owner 1337 -j RETURN')).toBeGreaterThan(0);
    expect(at('-A MESH_OUTPUT -m owner --uid-owner 1337 -j RETURN')).toBeLessThan(
      at('-A MESH_OUTPUT -p tcp -j MESH_REDIRECT'),
    );
    expect(at('-A MESH_OUTPUT -d 127.0.0.0/8 -j RETURN')).toBeLessThan(at('-A MESH_OUTPUT -p tcp -j MESH_REDIRECT'));
  });

  it('gives IPv6 the same rules where it is on', () => {
    const [four = '', six = ''] = script.split('if [ "$off" != 1 ]');
    const rules = (text: string): string[] => [...text.matchAll(/-A MESH_\w+/g)].map(([rule]) => rule);
    expect(rules(six)).toEqual(rules(four));
    expect(six).not.toContain('127.0.0');
  });
});
