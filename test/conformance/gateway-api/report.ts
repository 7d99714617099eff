import type { ConformanceCase } from './case.js';

const PROFILES: Readonly<Record<ConformanceCase['profile'], string>> = {
  'MESH-HTTP': 'Mesh, HTTPRoute',
  'MESH-GRPC': 'Mesh, GRPCRoute',
  'GATEWAY-HTTP': 'HTTPRoute (with a Service in the place of the Gateway, where the test allows it)',
};

/** What a conformance report says: tests by profile, and features that are supported and that are not. */
export function reportOf(cases: readonly ConformanceCase[], passed: (name: string) => boolean): string {
  const parts = (Object.keys(PROFILES) as ConformanceCase['profile'][]).map((profile) => {
    const own = cases.filter((one) => one.profile === profile);
    return [
      `## ${profile}`,
      '',
      `Core: ${PROFILES[profile]}.`,
      `Core tests: ${tally(
        own.filter(({ features }) => features.length === 0),
        passed,
      )}. Extended tests: ${tally(
        own.filter(({ features }) => features.length > 0),
        passed,
      )}.`,
      '',
      '| feature | supported | why not |',
      '|---|---|---|',
      ...featureRows(own, passed),
      '',
    ].join('\n');
  });
  const head = `# Conformance to the Gateway API

Written by \`conformance.test.ts\` (\`UPDATE_REPORT=1\` writes it anew). Tests have the names of the suite's
(kubernetes-sigs/gateway-api, \`conformance/tests\`); manifests are our own, after their description. gRPC calls are made as
HTTP/1.1 requests. Where the suite and Istio differ, the sandbox does as Istio was seen to do.

`;
  return head + parts.join('\n');
}

function isSupported({ name, unsupported }: ConformanceCase, passed: (name: string) => boolean): boolean {
  return unsupported === undefined && passed(name);
}

function tally(cases: readonly ConformanceCase[], passed: (name: string) => boolean): string {
  return `${cases.filter((one) => isSupported(one, passed)).length} of ${cases.length} passed`;
}

function featureRows(cases: readonly ConformanceCase[], passed: (name: string) => boolean): string[] {
  const features = [...new Set(cases.flatMap((one) => one.features))].sort();
  return features.map((feature) => {
    const own = cases.filter((one) => one.features.includes(feature));
    // A test of two features tells of the one that no other test is about.
    const failing = own.filter((one) => !isSupported(one, passed));
    const supported = failing.length < own.length;
    return `| ${feature} | ${supported ? 'yes' : 'no'} | ${supported ? '' : (failing[0]?.unsupported ?? 'its test failed')} |`;
  });
}
