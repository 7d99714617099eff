import type { AppSpec } from '../../model/app.js';
import type { Finding } from '../../model/finding.js';
import type { FlavorName } from '../../model/flavor.js';
import { unobeyedIn } from '../gateway-api/unobeyed-here.js';
import type { Resource } from '../resource.js';
import { analyzeAccess } from './access.js';
import { analyzeAccessValues } from './access-values.js';
import { analyzeAmbient } from './ambient.js';
import { analyzeAnnotations } from './annotations.js';
import { analyzeBackendTls } from './backend-tls.js';
import { analyzeCallPaths } from './call-paths.js';
import { analyzeClaims } from './claims.js';
import { analyzeConsul } from './consul.js';
import { analyzeCoverage } from './coverage.js';
import { analyzeDeprecated } from './deprecated.js';
import { analyzeDestinations } from './destinations.js';
import { analyzeEgressHosts } from './egress-hosts.js';
import { analyzeEmptySelectors } from './empty-selectors.js';
import { analyzeEnvoyFilters } from './envoy-filters.js';
import { analyzeExports } from './exports.js';
import { analyzeGatewayCertificates } from './gateway-certificates.js';
import { analyzeGatewayPolicies } from './gateway-policies.js';
import { analyzeGatewaySubsets } from './gateway-subsets.js';
import { analyzeGatewayWorkloads } from './gateway-workloads.js';
import { analyzeGateways } from './gateways.js';
import { analyzeHosts } from './hosts.js';
import { analyzeInjection } from './injection.js';
import { analyzeLinkerd } from './linkerd.js';
import { analyzeListeners } from './listeners.js';
import { analyzeManifests } from './manifests.js';
import { analyzeMeshMtls } from './mesh-mtls.js';
import { analyzeMtls } from './mtls.js';
import { analyzePorts } from './ports.js';
import { analyzeRetries } from './retries.js';
import { analyzeRouteRetries } from './route-retries.js';
import { analyzeRoutes } from './routes.js';
import { analyzeRules } from './rules.js';
import { analyzeSandbox } from './sandbox.js';
import { analyzeSchemaWarnings } from './schema-warnings.js';
import { analyzeSelectors } from './selectors.js';
import { analyzeServers } from './servers.js';
import { analyzeSidecars } from './sidecars.js';
import { unsuppressed } from './suppressed.js';
import { analyzeTelemetry } from './telemetry.js';
import { analyzeUnobeyedAnnotations } from './unobeyed-annotations.js';
import { type Analyzer, tellInto, worldOf } from './world.js';

const ANALYZERS: readonly Analyzer[] = [
  analyzeHosts,
  analyzeDestinations,
  analyzeRules,
  analyzeRetries,
  analyzeCallPaths,
  analyzeGateways,
  analyzeRoutes,
  analyzeRouteRetries,
  analyzeListeners,
  analyzeSelectors,
  analyzeMtls,
  analyzeBackendTls,
  analyzeAccess,
  analyzeAccessValues,
  analyzeLinkerd,
  analyzeConsul,
  analyzeServers,
  analyzePorts,
  analyzeManifests,
  analyzeDeprecated,
  analyzeSandbox,
  analyzeAmbient,
  analyzeAnnotations,
  analyzeClaims,
  analyzeCoverage,
  analyzeEgressHosts,
  analyzeEmptySelectors,
  analyzeEnvoyFilters,
  analyzeExports,
  analyzeGatewayCertificates,
  analyzeGatewayPolicies,
  analyzeGatewaySubsets,
  analyzeGatewayWorkloads,
  analyzeInjection,
  analyzeMeshMtls,
  analyzeSchemaWarnings,
  analyzeSidecars,
  analyzeTelemetry,
  analyzeUnobeyedAnnotations,
];

const LEVELS = ['error', 'warning', 'info'] as const;

/**
 * What is likely to be a mistake in resources that can each be read, beside the app that they are meant for (null = only
 * the files are known) and the mesh that would obey them. Errors first, then in the order of files and lines. Pure.
 */
export function analyze(resources: readonly Resource[], app: AppSpec | null, flavor: FlavorName = 'istio'): Finding[] {
  const world = worldOf(resources, app, flavor);
  const found = unobeyedIn(resources, flavor);
  const tell = tellInto(found);
  for (const analyzer of ANALYZERS) analyzer(world, tell);
  return unsuppressed(found, resources).toSorted(
    (a, b) =>
      LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) ||
      (a.source.file === b.source.file ? a.source.line - b.source.line : a.source.file < b.source.file ? -1 : 1),
  );
}
