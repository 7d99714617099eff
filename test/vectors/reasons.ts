const CANONICAL =
  'our own rule: what is matched and forwarded is one canonical text, or is refused (Istio passes it on)';
const HOST = 'our own rule: one canonical Host, lower-case and without final dot, or 400';

/**
 * Cases that come out otherwise here, each with its reason; all others must be equal, and one that is equal after all must
 * leave this table. Most are rules of security that are stricter than what Istio was seen to do.
 */
export const REASONS: Readonly<Record<string, string>> = {
  'rm-norm-dots': `${CANONICAL}: a path that climbs above the root is 400`,
  'rm-norm-backslash': `${CANONICAL}: a backslash in a request line is 400`,
  'rm-norm-bad-escape': `${CANONICAL}: a percent sign that starts no escape is 400`,
  'rm-norm-non-ascii': `${CANONICAL}: escapes in upper case, quotes are 400, braces and bars stay`,
  'rm-absolute-form': 'our own rule: an absolute target that disagrees with Host is 400',
  'rm-methods-odd': 'our own rule: TRACE echoes credentials and does not cross a sidecar (405)',
  'rm-pseudo-authority': HOST,
  'rm-authority-exact': HOST,
  'rr-direct-201': HOST,
  'rx-host-port': `${HOST}: an empty port or one that is no number`,
  'rx-host-trailing-dot': HOST,
  'rr-rewrite-no-slash':
    'our own rule: what a rewrite writes as the whole target is refused by our strict reader of requests',
  'rf-caller-headers': 'our own rule: x-envoy-* and x-mesh-* of an app are nobody’s word and are taken out',
  'rp-h2-upgrade': 'sidecars speak HTTP/1.1 to each other; h2UpgradePolicy is told as not obeyed',
};
