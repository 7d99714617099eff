import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { portOf, raw } from '../../support/raw.js';
import { type LinkerdBed, linkerdBed, policy } from './bed.js';

let bed: LinkerdBed;

beforeAll(async () => {
  bed = await linkerdBed({ reviews: (_, response) => response.end() });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

/** What a call of `web` for a host is answered. */
async function statusFor(host: string): Promise<string | undefined> {
  const port = portOf(await bed.mesh.outboundUrl('web', 'reviews'));
  const { received } = await raw(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return /^HTTP\/1\.1 (\d+)/.exec(received)?.[1];
}

describe('B-126: EgressNetwork', () => {
  it('that denies answers 403 for hosts outside of the mesh, and calls inside of it pass', async () => {
    await bed.apply(policy('EgressNetwork', 'all', '{ trafficPolicy: Deny }'));
    expect(await statusFor('example.com')).toBe('403');
    expect((await bed.call('reviews')).status).toBe(200);
  });

  it('of another namespace says nothing to this one, except that of linkerd-egress', async () => {
    const elsewhere = (namespace: string): string =>
      `apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: { name: all, namespace: ${namespace} }\nspec: { trafficPolicy: Deny }`;
    await bed.apply(elsewhere('other'));
    expect(await statusFor('example.com')).not.toBe('403');
    await bed.apply(elsewhere('linkerd-egress'));
    expect(await statusFor('example.com')).toBe('403');
    await bed.apply(policy('EgressNetwork', 'own', '{ trafficPolicy: Allow }'));
    expect(await statusFor('example.com')).not.toBe('403');
  });
});
