// Whom we are compared with. Each has NAME, find() (null = not on this machine), plain() and mostly pair(); what they
// start is { port, pids } in front of an origin's port.
import * as apache from './apache.mjs';
import * as envoy from './envoy.mjs';
import * as haproxy from './haproxy.mjs';
import * as ours from './mesh-sandbox.mjs';
import * as nginx from './nginx.mjs';
import { nodeProxy } from './node-proxy.mjs';

export const OURS = ours;
export { startOrigin } from './nginx.mjs';

const PEERS = [
  envoy,
  nginx,
  haproxy,
  apache,
  nodeProxy('http-proxy-3', 'http-proxy-3'),
  nodeProxy('http-proxy', 'http-proxy'),
];

const found = new Map();

/** What `find()` of a peer says, asked once. */
export function lookFor(name) {
  const peer = PEERS.find(({ NAME }) => NAME === name);
  if (peer === undefined) throw new Error(`no peer ${name}`);
  if (!found.has(name)) found.set(name, peer.find());
  return { peer, found: found.get(name) };
}
