/** Rules of ours that are stricter than Istio, as whoever compares the two should hear them. */
const CANONICAL_PATH =
  'our own rule: one canonical path is matched, recorded and forwarded; what leaves the root, cannot be made canonical, or that servers read in different ways is refused (400)';
const SLASHES =
  'our own rule: doubled and escaped slashes count as one slash before any policy is asked, so that they pass no DENY';
const CANONICAL_HOST =
  'our own rule: Host is one canonical name; odd, empty, listed and repeated ones are refused (400), and a DENY on a host holds with any port';
const UNPROVED_ADDRESS =
  'our own rule: x-forwarded-for is believed of callers that proved who they are; of others it counts against them only';
const IDENTITY =
  'our own rule: a certificate names one SPIFFE ID of a workload, with a path of plain words (X509-SVID); others are refused';
const PLAIN_METHODS = 'our own rule: CONNECT and TRACE cross no sidecar (405), whatever a policy says';
const STRICT_HEAD = 'our own rule: odd heads are refused (400) before any policy is asked';
const MESH_FIELDS =
  'our own rule: fields of the mesh’s own are taken from callers that proved nothing, and x-forwarded-client-cert from everybody';
const UNNAMED_PORT =
  'our own rule: where a port’s name says nothing, HTTP of whoever proves an identity is HTTP whatever protocols were offered, so that no forged x-forwarded-client-cert reaches the app';

/** Cases in which the sandbox does something else than Istio was observed to do, and why. */
export const CALLEE_REASONS: Readonly<Record<string, string | undefined>> = {
  'in-principal-star-inside': IDENTITY,
  'in-remote-ip-xff': UNPROVED_ADDRESS,
  'in-remote-ip-none': UNPROVED_ADDRESS,
  'in-when-ip': UNPROVED_ADDRESS,
  'in-hosts-exact': `${CANONICAL_HOST}; a final dot is left out`,
  'in-hosts-port': `${CANONICAL_HOST}; a port is a number`,
  'in-hosts-suffix': CANONICAL_HOST,
  'in-hosts-deny-escapes': CANONICAL_HOST,
  'in-head-host-duplicate': CANONICAL_HOST,
  'in-head-host-odd': CANONICAL_HOST,
  'in-methods-not': PLAIN_METHODS,
  'in-paths-template-one': SLASHES,
  'in-paths-template-rest': SLASHES,
  'in-paths-template-middle': SLASHES,
  'in-path-slashes-deny': SLASHES,
  'in-path-slashes-prefix': SLASHES,
  'in-path-escaped-slash-deny': SLASHES,
  'in-path-escaped-slash-allow': SLASHES,
  'in-path-not-empty': SLASHES,
  'in-path-template': SLASHES,
  'in-path-app-slashes': SLASHES,
  'in-path-dots-deny': CANONICAL_PATH,
  'in-path-dots-allow': CANONICAL_PATH,
  'in-path-escaped-dots-deny': CANONICAL_PATH,
  'in-path-reserved': `${CANONICAL_PATH}; escapes are compared in upper case`,
  'in-path-backslash-deny': CANONICAL_PATH,
  'in-path-bad-escape': CANONICAL_PATH,
  'in-path-space': `${CANONICAL_PATH}; brackets and | pass as they came`,
  'in-path-app-dots': CANONICAL_PATH,
  'in-path-app-escapes': CANONICAL_PATH,
  'in-path-params': 'our own rule: a DENY on a path holds with parameters (;x) too',
  'in-path-fragment': 'our own rule: a DENY on a path holds with an escaped # behind it',
  'in-path-absolute': 'our own rule: an absolute target and Host must agree (400)',
  'in-path-odd-forms': `${PLAIN_METHODS}; OPTIONS * reaches the app`,
  'in-header-lines-deny': 'our own rule: a DENY on a header looks at the members of a list in one line too',
  'in-head-connection-nominate':
    'our own rule: what Connection names away is seen by a DENY, and identity and credentials cannot be named away',
  'in-head-hop': 'our own rule: trailer and proxy-* fields end at the connection (RFC 9110, 7.6.1)',
  'in-head-bad-names': `${STRICT_HEAD}; folded lines too`,
  'in-head-proto-names': `${STRICT_HEAD}; names with _ too`,
  'in-head-size': 'our own rule: a request target has at most 8 KiB (414), a head 16 KiB (431)',
  'in-head-envoy-plain': MESH_FIELDS,
  'in-head-envoy-mtls':
    'the app is told how long its caller waits (x-envoy-expected-rq-timeout-ms), if a certificate proves the caller',
  'in-head-xfp': 'no x-forwarded-proto is made up: the app sees what its caller sent',
  'in-xfcc-mtls-forged': MESH_FIELDS,
  'in-mtls-san': IDENTITY,
  'in-mtls-two-uris': IDENTITY,
  'in-mtls-auto-strict-alpn': UNNAMED_PORT,
  'in-mtls-auto-deny-alpn': UNNAMED_PORT,
};
