import { list, oneOf, type Read, reader, table, tableWith, text } from '../../yaml/readers.js';
import { labelSelector } from '../words.js';

/** What an AuthorizationPolicy may hold (istio.io/api security/v1beta1), as it is read. */

const texts = list(text);

const source = table({
  principals: texts,
  notPrincipals: texts,
  requestPrincipals: texts,
  notRequestPrincipals: texts,
  namespaces: texts,
  notNamespaces: texts,
  serviceAccounts: texts,
  notServiceAccounts: texts,
  trustDomains: texts,
  notTrustDomains: texts,
  ipBlocks: texts,
  notIpBlocks: texts,
  remoteIpBlocks: texts,
  notRemoteIpBlocks: texts,
});

const operation = table({
  hosts: texts,
  notHosts: texts,
  ports: texts,
  notPorts: texts,
  methods: texts,
  notMethods: texts,
  paths: texts,
  notPaths: texts,
});

const condition = tableWith(['key'], { key: text, values: texts, notValues: texts });

const rule = table({
  from: list(tableWith(['source'], { source })),
  to: list(tableWith(['operation'], { operation })),
  when: list(condition),
});

/** It is told, and the policy is known to have one. */
export const elsewhere = reader<true>(
  { kind: 'unsupported', why: 'sidecars take policies with a selector' },
  (view, where, findings) => {
    if (view.kind === 'null') return undefined;
    findings.unsupported(
      view.source,
      where,
      'it is for gateways and waypoints, and no sidecar obeys the policy: choose workloads by selector',
    );
    return true;
  },
);

export const authorizationPolicy = table({
  selector: labelSelector,
  targetRef: elsewhere,
  targetRefs: elsewhere,
  action: oneOf(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']),
  rules: list(rule),
  provider: table({ name: text }),
});

export type AuthorizationPolicySpec = Read<typeof authorizationPolicy>;
export type AuthorizationRule = Read<typeof rule>;
export type AuthorizationSource = Read<typeof source>;
export type AuthorizationOperation = Read<typeof operation>;
export type AuthorizationCondition = Read<typeof condition>;

/** Annotation of policies that only tell what they would do. */
export const DRY_RUN = 'istio.io/dry-run';
