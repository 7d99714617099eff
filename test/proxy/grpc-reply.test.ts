import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forward, host, type OneSidecar, on, oneSidecar, rule, to } from '../support/one-sidecar.js';

let one: OneSidecar;

beforeAll(async () => {
  one = await oneSidecar({ v1: (_, response) => response.end('app') });
});
afterAll(() => one.close());

/** Status and gRPC's fields of what a gRPC caller gets. */
async function call(type: string) {
  const { status, headers } = await one.ask('/shop.Cart/Add', { method: 'POST', headers: { 'content-type': type } });
  return [status, headers['content-type'], headers['grpc-status'], headers['grpc-message']];
}

describe("the proxy's own answers to gRPC callers", () => {
  it('are 200 with a grpc-status, whatever failed', async () => {
    one.apply([host([rule('r', on('/other'), forward([to('v1')]))])]);
    expect(await call('application/grpc')).toEqual([200, 'application/grpc', '12', undefined]);
    expect(await call('application/grpc+proto')).toEqual([200, 'application/grpc', '12', undefined]);
    one.apply([host([rule('r', on('/'), forward([to('nosuch')], { missingStatus: 500 }))])]);
    expect(await call('application/grpc')).toEqual([200, 'application/grpc', '2', undefined]);
    one.apply([
      host([{ ...rule('r', on('/'), forward([to('v1')])), action: { kind: 'direct', status: 403, body: 'no' } }]),
    ]);
    expect(await call('application/grpc')).toEqual([200, 'application/grpc', '7', 'no']);
  });

  it('and as ever to others, gRPC-Web among them', async () => {
    one.apply([host([rule('r', on('/other'), forward([to('v1')]))])]);
    for (const type of ['application/json', 'application/grpc-web', 'application/grpcx'])
      expect((await call(type)).slice(0, 3), type).toEqual([404, undefined, undefined]);
  });
});
