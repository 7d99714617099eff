import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../../src/control-plane/authority/authority.js';
import { systemClock } from '../../src/platform/clock.js';
import { newKeyAndRequest } from '../../src/workload/csr.js';
import { identityOf, renewalTime } from '../../src/workload/identity.js';

const WEB = 'spiffe://cluster.local/ns/default/sa/web';
const directory = mkdtempSync(join(tmpdir(), 'mesh-identity-'));
let authority: Authority;

beforeAll(async () => {
  authority = await Authority.open(directory, systemClock);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('an identity', () => {
  it('reads name and times from the certificate', async () => {
    const { keyPem, csr } = newKeyAndRequest();
    const issued = await authority.sign(csr, WEB);
    const identity = identityOf(keyPem, issued.certificate, authority.rootPem);
    expect(identity).toMatchObject({ key: keyPem, spiffeId: WEB, trustBundle: authority.rootPem });
    expect(Math.abs(identity.notAfter - issued.notAfter)).toBeLessThan(1_000);
    expect(Math.abs(identity.notBefore - issued.notBefore)).toBeLessThan(1_000);
  });

  it('is refused when the certificate is for another key', async () => {
    const issued = await authority.sign(newKeyAndRequest().csr, WEB);
    expect(() => identityOf(newKeyAndRequest().keyPem, issued.certificate, authority.rootPem)).toThrow('another key');
  });

  it.each([
    [0, 0.45],
    [0.5, 0.5],
    [1, 0.55],
  ])('is renewed at about half of what was left when it came (chance %d)', (chance, part) => {
    const identity = { key: '', certificate: '', trustBundle: '', spiffeId: WEB, notBefore: 0, notAfter: 5_000 };
    expect(renewalTime(identity, 1_000, chance)).toBeCloseTo(1_000 + 4_000 * part, 6);
  });
});
