import type { LabelFilter } from '../../model/label-filter.js';
import {
  flag,
  list,
  number,
  type Read,
  type Reader,
  reader,
  record,
  shapeOf,
  text,
  unsupported,
  whole,
} from '../../yaml/readers.js';
import { textShape } from '../../yaml/shape.js';
import { prioritizeByLocality } from './defaults.js';
import { subsetFilter } from './filter.js';
import {
  anyCase,
  anyCaseWith,
  datacenter,
  elsewhere,
  headerChanges,
  headerMatch,
  partition,
  pattern,
  time,
  word,
  wordOf,
} from './words.js';

/** ServiceRouter, ServiceSplitter and ServiceResolver (consul-k8s api/v1alpha1), as they are read. */

type Duration = number;

const queryMatch = anyCaseWith<{ name: string; present: boolean; exact: string; regex: string }, 'name'>(['name'], {
  name: word,
  present: flag,
  exact: word,
  regex: pattern,
});

const httpMatch = anyCase<{
  pathExact: string;
  pathPrefix: string;
  pathRegex: string;
  caseInsensitive: boolean;
  header: Read<typeof headerMatch>[];
  queryParam: Read<typeof queryMatch>[];
  methods: string[];
}>({
  pathExact: word,
  pathPrefix: word,
  pathRegex: pattern,
  caseInsensitive: flag,
  header: list(headerMatch),
  queryParam: list(queryMatch),
  methods: list(text),
});

const destination = anyCase<{
  service: string;
  serviceSubset: string;
  namespace: string;
  partition: string;
  prefixRewrite: string;
  requestTimeout: Duration;
  idleTimeout: never;
  numRetries: number;
  retryOnConnectFailure: boolean;
  retryOn: string[];
  retryOnStatusCodes: number[];
  requestHeaders: Read<typeof headerChanges>;
  responseHeaders: Read<typeof headerChanges>;
}>({
  service: word,
  serviceSubset: word,
  namespace: word,
  partition,
  prefixRewrite: word,
  requestTimeout: time,
  idleTimeout: unsupported('connections stay as long as the sidecar keeps them'),
  numRetries: whole(0, 1_000),
  retryOnConnectFailure: flag,
  retryOn: list(text),
  retryOnStatusCodes: list(whole(100, 599)),
  requestHeaders: headerChanges,
  responseHeaders: headerChanges,
});

const route = anyCase<{ match: { http?: Read<typeof httpMatch> }; destination: Read<typeof destination> }>({
  match: anyCase<{ http: Read<typeof httpMatch> }>({ http: httpMatch }),
  destination,
});

export const serviceRouter = anyCase<{ routes: Read<typeof route>[] }>({ routes: list(route) });

const split = anyCaseWith<
  {
    weight: number;
    service: string;
    serviceSubset: string;
    namespace: string;
    partition: string;
    requestHeaders: Read<typeof headerChanges>;
    responseHeaders: Read<typeof headerChanges>;
  },
  'weight'
>(['weight'], {
  weight: number(0, 100),
  service: word,
  serviceSubset: word,
  namespace: word,
  partition,
  requestHeaders: headerChanges,
  responseHeaders: headerChanges,
});

export const serviceSplitter = anyCase<{ splits: Read<typeof split>[] }>({ splits: list(split) });

const target = anyCase<{
  service: string;
  serviceSubset: string;
  namespace: string;
  partition: string;
  datacenter: string;
  peer: string;
  samenessGroup: string;
}>({
  service: word,
  serviceSubset: word,
  namespace: word,
  partition,
  datacenter,
  peer: elsewhere,
  samenessGroup: elsewhere,
});

/** Read to know that something was written. */
const otherDatacenters: Reader<true> = reader<true>(shapeOf(elsewhere), (view, where, findings) => {
  findings.unsupported(view.source, where, 'there is one datacentre and one partition here');
  return true;
});

const failover = anyCase<{
  service: string;
  serviceSubset: string;
  namespace: string;
  datacenters: true;
  targets: Read<typeof target>[];
  policy: true;
  samenessGroup: string;
}>({
  service: word,
  serviceSubset: word,
  namespace: word,
  datacenters: otherDatacenters,
  targets: list(target),
  policy: otherDatacenters,
  samenessGroup: elsewhere,
});

const hashPolicy = anyCase<{
  field: 'header' | 'cookie' | 'query_parameter';
  fieldValue: string;
  sourceIP: boolean;
  terminal: boolean;
  cookieConfig: { session?: boolean; ttl?: number; path?: string };
}>({
  field: wordOf(['header', 'cookie', 'query_parameter']),
  fieldValue: word,
  sourceIP: flag,
  terminal: flag,
  cookieConfig: anyCase<{ session: boolean; ttl: number; path: string }>({
    session: flag,
    ttl: time,
    path: word,
  }),
});

const loadBalancer = anyCase<{
  policy: string;
  ringHashConfig: { minimumRingSize?: number; maximumRingSize?: number };
  leastRequestConfig: { choiceCount?: number };
  hashPolicies: Read<typeof hashPolicy>[];
}>({
  policy: wordOf(['random', 'round_robin', 'least_request', 'ring_hash', 'maglev']),
  ringHashConfig: anyCase<{ minimumRingSize: number; maximumRingSize: number }>({
    minimumRingSize: whole(0, 8_388_608),
    maximumRingSize: whole(0, 8_388_608),
  }),
  leastRequestConfig: anyCase<{ choiceCount: number }>({ choiceCount: whole(0, 100) }),
  hashPolicies: list(hashPolicy),
});

/** Both words are one here: nobody answers checks with a warning. */
const onlyPassing: Reader<boolean> = reader(
  textShape('true or false, alike here: an instance is well, or it is not asked'),
  flag,
);

export const serviceResolver = anyCase<{
  defaultSubset: string;
  subsets: Record<string, { filter?: LabelFilter | null; onlyPassing?: boolean }>;
  redirect: Read<typeof target>;
  failover: Record<string, Read<typeof failover>>;
  connectTimeout: number;
  requestTimeout: number;
  loadBalancer: Read<typeof loadBalancer>;
  prioritizeByLocality: Read<typeof prioritizeByLocality>;
}>({
  defaultSubset: word,
  subsets: record(anyCase<{ filter: LabelFilter | null; onlyPassing: boolean }>({ filter: subsetFilter, onlyPassing })),
  redirect: target,
  failover: record(failover),
  connectTimeout: time,
  requestTimeout: time,
  loadBalancer,
  prioritizeByLocality,
});

export type ServiceRouter = Read<typeof serviceRouter>;
export type RouterRoute = Read<typeof route>;
export type RouterMatch = Read<typeof httpMatch>;
export type RouterDestination = Read<typeof destination>;
export type ServiceSplitter = Read<typeof serviceSplitter>;
export type ServiceResolver = Read<typeof serviceResolver>;
export type RedirectWords = Read<typeof target>;
export type FailoverWords = Read<typeof failover>;
export type LoadBalancerWords = Read<typeof loadBalancer>;
export type QueryWords = Read<typeof queryMatch>;
export type HashWords = Read<typeof hashPolicy>;
