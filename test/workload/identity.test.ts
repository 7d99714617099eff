import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../../src/control-plane/authority/authority.js';
import { flavorOf } from '../../src/model/flavor.js';
import { systemClock } from '../../src/platform/clock.js';
import { newKeyAndRequest } from '../../src/workload/csr.js';
import { identityOf, renewalTime } from '../../src/workload/identity.js';
import { leafOf, TERMS } from '../support/authority.js';

const WEB = 'spiffe://cluster.local/ns/default/sa/web';
const directory = mkdtempSync(join(tmpdir(), 'mesh-identity-'));
let authority: Authority;

beforeAll(async () => {
  authority = await Authority.open(directory, systemClock, TERMS);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('an identity', () => {
  it('reads name and times from the certificate', async () => {
    const { keyPem, csr } = newKeyAndRequest();
    const issued = await authority.sign(csr, leafOf(WEB));
    const identity = identityOf(keyPem, issued.certificate, authority.rootPem);
    expect(identity).toMatchObject({ key: keyPem, spiffeId: WEB, trustBundle: authority.rootPem });
    expect(Math.abs(identity.notAfter - issued.notAfter)).toBeLessThan(1_000);
    expect(Math.abs(identity.notBefore - issued.notBefore)).toBeLessThan(1_000);
  });

  it('is refused when the certificate is for another key', async () => {
    const issued = await authority.sign(newKeyAndRequest().csr, leafOf(WEB));
    expect(() => identityOf(newKeyAndRequest().keyPem, issued.certificate, authority.rootPem)).toThrow('another key');
  });

  it.each([
    ['istio', 0, 0.45],
    ['istio', 0.5, 0.5],
    ['istio', 1, 0.55],
    ['linkerd', 0.5, 0.7],
    ['consul', 0, 0.6],
    ['consul', 1, 0.9],
  ])('of %s is renewed after its share of what was left when it came (chance %d)', (flavor, chance, part) => {
    const { renewal } = flavorOf(flavor).certificates;
    const identity = { key: '', certificate: '', trustBundle: '', spiffeId: WEB, notBefore: 0, notAfter: 5_000 };
    expect(renewalTime({ identity, receivedAt: 1_000, renewal }, chance)).toBeCloseTo(1_000 + 4_000 * part, 6);
  });
});
