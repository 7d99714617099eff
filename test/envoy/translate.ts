import type { Cluster, OutlierDetection } from '../../src/model/cluster.js';
import type {
  FieldChanges,
  FieldMatch,
  ForwardAction,
  HashPolicy,
  PathMatch,
  RetryPolicy,
  Route,
  RouteFault,
  RouteMatch,
  TextMatch,
} from '../../src/model/route.js';
import type { VirtualHost } from '../../src/model/sidecar-config.js';

/** The same configuration in Envoy's words (`config.bootstrap.v3` as JSON). Only what the comparison uses. */

type Json = Record<string, unknown>;

export interface EnvoyParts {
  readonly port: number;
  readonly adminPort: number;
  readonly virtualHosts: readonly VirtualHost[];
  readonly clusters: readonly Cluster[];
}

export function bootstrapOf({ port, adminPort, virtualHosts, clusters }: EnvoyParts): Json {
  return {
    admin: { address: addressOf('127.0.0.1', adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'outbound',
          address: addressOf('127.0.0.1', port),
          filter_chains: [{ filters: [{ name: 'hcm', typed_config: connectionManager(virtualHosts) }] }],
        },
      ],
      clusters: clusters.map(clusterOf),
    },
  };
}

const ext = (type: string, rest: Json = {}): Json => ({ '@type': `type.googleapis.com/${type}`, ...rest });
const http = (name: string): string => `envoy.extensions.filters.http.${name}.v3`;

function connectionManager(virtualHosts: readonly VirtualHost[]): Json {
  return ext('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'outbound',
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD',
    stream_idle_timeout: '0s',
    route_config: { name: 'routes', ignore_port_in_host_matching: true, virtual_hosts: virtualHosts.map(hostOf) },
    http_filters: [
      { name: 'envoy.filters.http.cors', typed_config: ext(`${http('cors')}.Cors`) },
      { name: 'envoy.filters.http.fault', typed_config: ext(`${http('fault')}.HTTPFault`) },
      { name: 'envoy.filters.http.router', typed_config: ext(`${http('router')}.Router`) },
    ],
  });
}

function hostOf({ name, domains, routes }: VirtualHost): Json {
  return { name, domains, include_request_attempt_count: true, routes: routes.map(routeOf) };
}

function routeOf({ name, match, action, responseFields, fault }: Route): Json {
  const filters: Json = {};
  if (fault !== null) filters['envoy.filters.http.fault'] = faultOf(fault);
  if (action.kind === 'forward' && action.cors !== null) {
    const { allowOrigins, allowMethods, allowHeaders, exposeHeaders, maxAgeSeconds, allowCredentials } = action.cors;
    filters['envoy.filters.http.cors'] = ext(`${http('cors')}.CorsPolicy`, {
      allow_origin_string_match: allowOrigins.map(textOf),
      allow_methods: allowMethods,
      allow_headers: allowHeaders,
      expose_headers: exposeHeaders,
      ...(maxAgeSeconds === null ? {} : { max_age: String(maxAgeSeconds) }),
      allow_credentials: allowCredentials,
      forward_not_matching_preflights: !action.cors.answerUnmatched,
    });
  }
  const common = { name, match: matchOf(match), typed_per_filter_config: filters };
  if (action.kind === 'redirect') {
    const { status, scheme, host, port, path } = action;
    return {
      ...common,
      ...responseChanges(responseFields),
      redirect: {
        response_code: REDIRECTS[status],
        ...(scheme === null ? {} : { scheme_redirect: scheme }),
        ...(host === null ? {} : { host_redirect: host }),
        ...(port === null ? {} : { port_redirect: port }),
        ...(path === null ? {} : path.kind === 'full' ? { path_redirect: path.value } : { prefix_rewrite: path.value }),
      },
    };
  }
  if (action.kind === 'direct') {
    const { status, body } = action;
    return {
      ...common,
      ...responseChanges(responseFields),
      direct_response: { status, ...(body === '' ? {} : { body: { inline_string: body } }) },
    };
  }
  return {
    ...common,
    ...requestChanges(action.requestFields),
    ...responseChanges(responseFields),
    route: forwardOf(action),
  };
}

const REDIRECTS: Readonly<Record<number, string>> = {
  301: 'MOVED_PERMANENTLY',
  302: 'FOUND',
  303: 'SEE_OTHER',
  307: 'TEMPORARY_REDIRECT',
  308: 'PERMANENT_REDIRECT',
};

function forwardOf({ clusters, rewrite, timeoutMs, retry, hash, mirrors }: ForwardAction): Json {
  return {
    ...(clusters.length === 1 && clusters[0]?.requestFields === null && clusters[0].responseFields === null
      ? { cluster: clusters[0].cluster }
      : {
          weighted_clusters: {
            clusters: clusters.map(({ cluster, weight, requestFields, responseFields }) => ({
              name: cluster,
              weight,
              ...requestChanges(requestFields),
              ...responseChanges(responseFields),
            })),
          },
        }),
    timeout: timeoutMs === null ? '0s' : seconds(timeoutMs),
    ...(rewrite?.host == null ? {} : { host_rewrite_literal: rewrite.host }),
    ...(rewrite?.path == null
      ? {}
      : rewrite.path.kind === 'regex'
        ? {
            regex_rewrite: { pattern: { regex: rewrite.path.value }, substitution: rewrite.path.substitution },
          }
        : rewrite.path.kind === 'full'
          ? { regex_rewrite: { pattern: { regex: '^/.*$' }, substitution: rewrite.path.value } }
          : { prefix_rewrite: rewrite.path.value }),
    ...(retry === null ? {} : { retry_policy: retryOf(retry) }),
    ...(hash.length === 0 ? {} : { hash_policy: hash.map(hashOf) }),
    ...(mirrors.length === 0
      ? {}
      : {
          request_mirror_policies: mirrors.map(({ cluster, percent }) => ({
            cluster,
            runtime_fraction: { default_value: fraction(percent) },
            disable_shadow_host_suffix_append: true,
          })),
        }),
  };
}

function hashOf(policy: HashPolicy): Json {
  const { terminal } = policy;
  switch (policy.kind) {
    case 'header':
      return { terminal, header: { header_name: policy.name } };
    case 'query':
      return { terminal, query_parameter: { name: policy.name } };
    case 'source-ip':
      return { terminal, connection_properties: { source_ip: true } };
    case 'cookie':
      return {
        terminal,
        cookie: {
          name: policy.name,
          ...(policy.path === '' ? {} : { path: policy.path }),
          ...(policy.ttlSeconds === null ? {} : { ttl: `${policy.ttlSeconds}s` }),
        },
      };
  }
}

function retryOf(retry: RetryPolicy): Json {
  return {
    retry_on: retry.retryOn.join(','),
    num_retries: retry.attempts,
    retriable_status_codes: retry.retriableStatusCodes,
    retriable_headers: retry.retriableHeaders.map(fieldOf),
    ...(retry.perTryTimeoutMs === null ? {} : { per_try_timeout: seconds(retry.perTryTimeoutMs) }),
    retry_back_off: { base_interval: seconds(retry.backoffBaseMs), max_interval: seconds(retry.backoffMaxMs) },
    ...(retry.avoidTriedHosts
      ? {
          host_selection_retry_max_attempts: 5,
          retry_host_predicate: [
            {
              name: 'envoy.retry_host_predicates.previous_hosts',
              typed_config: ext('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'),
            },
          ],
        }
      : {}),
  };
}

function faultOf({ delay, abort }: RouteFault): Json {
  return ext(`${http('fault')}.HTTPFault`, {
    ...(delay === null ? {} : { delay: { fixed_delay: seconds(delay.ms), percentage: fraction(delay.percent) } }),
    ...(abort === null
      ? {}
      : {
          abort: {
            ...(abort.grpcStatus === null ? { http_status: abort.status } : { grpc_status: abort.grpcStatus }),
            percentage: fraction(abort.percent),
          },
        }),
  });
}

function matchOf({ path, methods, fields, query }: RouteMatch): Json {
  const method: Json[] =
    methods.length === 0 ? [] : [{ name: ':method', string_match: { safe_regex: { regex: methods.join('|') } } }];
  return {
    ...pathOf(path),
    headers: [...method, ...fields.map(fieldOf)],
    query_parameters: query.map(({ name, ...text }) => ({
      name,
      ...(text.kind === 'present' ? { present_match: true } : { string_match: textOf(text) }),
    })),
  };
}

function pathOf({ kind, value, ignoreCase }: PathMatch): Json {
  if (kind === 'regex') return { safe_regex: { regex: ignoreCase ? `(?i)${value}` : value } };
  const word = kind === 'exact' ? 'path' : kind === 'segments' && value !== '/' ? 'path_separated_prefix' : 'prefix';
  return { [word]: value, case_sensitive: !ignoreCase };
}

function fieldOf({ name, invert, missingAsEmpty, ...text }: FieldMatch): Json {
  return {
    name,
    invert_match: invert,
    treat_missing_header_as_empty: missingAsEmpty,
    ...(text.kind === 'present' ? { present_match: true } : { string_match: textOf(text) }),
  };
}

function textOf({ kind, value }: TextMatch): Json {
  return kind === 'regex' ? { safe_regex: { regex: value } } : { [kind]: value };
}

function requestChanges(changes: FieldChanges | null): Json {
  return changes === null ? {} : changesOf(changes, 'request');
}

function responseChanges(changes: FieldChanges | null): Json {
  return changes === null ? {} : changesOf(changes, 'response');
}

function changesOf({ remove, set, add }: FieldChanges, way: 'request' | 'response'): Json {
  const option = (action: string) => (pair: readonly [string, string]) => ({
    header: { key: pair[0], value: pair[1] },
    append_action: action,
    keep_empty_value: true,
  });
  return {
    [`${way}_headers_to_remove`]: remove,
    [`${way}_headers_to_add`]: [
      ...set.map(option('OVERWRITE_IF_EXISTS_OR_ADD')),
      ...add.map(option('APPEND_IF_EXISTS_OR_ADD')),
    ],
  };
}

const MANY = 4_294_967_295;

function clusterOf({ name, balancing, limits, ejection, retryBudget, connectTimeoutMs, endpoints }: Cluster): Json {
  const { algorithm } = balancing;
  return {
    name,
    type: 'STATIC',
    connect_timeout: seconds(connectTimeoutMs),
    lb_policy: POLICIES[algorithm.kind],
    ...(algorithm.kind === 'ring-hash'
      ? {
          ring_hash_lb_config: {
            minimum_ring_size: algorithm.minimumRingSize,
            maximum_ring_size: algorithm.maximumRingSize,
          },
        }
      : {}),
    ...(algorithm.kind === 'maglev' ? { maglev_lb_config: { table_size: algorithm.tableSize } } : {}),
    common_lb_config: { healthy_panic_threshold: { value: balancing.panicPercent } },
    circuit_breakers: {
      thresholds: [
        {
          max_connections: limits.maxConnections ?? MANY,
          max_pending_requests: limits.maxPendingRequests ?? MANY,
          max_requests: limits.maxRequests ?? MANY,
          max_retries: limits.maxRetries ?? MANY,
          ...(retryBudget?.kind === 'concurrent'
            ? {
                retry_budget: {
                  budget_percent: { value: retryBudget.percent },
                  min_retry_concurrency: retryBudget.minimum,
                },
              }
            : {}),
        },
      ],
    },
    ...(ejection?.kind === 'outlier' ? { outlier_detection: outlierOf(ejection) } : {}),
    load_assignment: {
      cluster_name: name,
      endpoints: [...new Set(endpoints.map(({ priority }) => priority))].map((priority) => ({
        priority,
        lb_endpoints: endpoints
          .filter((endpoint) => endpoint.priority === priority)
          .map(({ address, port, weight }) => ({
            endpoint: { address: addressOf(address, port) },
            load_balancing_weight: weight,
          })),
      })),
    },
  };
}

const POLICIES: Readonly<Record<string, string>> = {
  'round-robin': 'ROUND_ROBIN',
  random: 'RANDOM',
  'least-request': 'LEAST_REQUEST',
  'ring-hash': 'RING_HASH',
  maglev: 'MAGLEV',
};

function outlierOf(policy: OutlierDetection): Json {
  return {
    consecutive_5xx: policy.consecutive5xx === 0 ? MANY : policy.consecutive5xx,
    enforcing_consecutive_5xx: policy.consecutive5xx === 0 ? 0 : 100,
    consecutive_gateway_failure: policy.consecutiveGatewayErrors === 0 ? MANY : policy.consecutiveGatewayErrors,
    enforcing_consecutive_gateway_failure: policy.consecutiveGatewayErrors === 0 ? 0 : 100,
    split_external_local_origin_errors: policy.splitLocalOriginErrors,
    consecutive_local_origin_failure: policy.consecutiveLocalOriginFailures,
    enforcing_success_rate: 0,
    enforcing_local_origin_success_rate: 0,
    interval: seconds(policy.intervalMs),
    base_ejection_time: seconds(policy.baseEjectionMs),
    max_ejection_time: seconds(policy.maxEjectionMs),
    max_ejection_percent: policy.maxEjectionPercent,
  };
}

function addressOf(address: string, port: number): Json {
  return { socket_address: { address, port_value: port } };
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

function fraction(percent: number): Json {
  return { numerator: Math.round(percent * 10_000), denominator: 'MILLION' };
}
