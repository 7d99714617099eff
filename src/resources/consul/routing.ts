import type { LabelFilter } from '../../model/label-filter.js';
import {
  anything,
  flag,
  list,
  number,
  oneOf,
  type Read,
  record,
  text,
  unsupported,
  whole,
} from '../../yaml/readers.js';
import { goDuration } from '../words.js';
import { subsetFilter } from './filter.js';
import { anyCase, anyCaseWith, elsewhere, headerChanges, headerMatch } from './words.js';

/** ServiceRouter, ServiceSplitter and ServiceResolver (consul-k8s api/v1alpha1), as they are read. */

type Duration = number;

const queryMatch = anyCaseWith<{ name: string; present: boolean; exact: string; regex: string }, 'name'>(['name'], {
  name: text,
  present: flag,
  exact: text,
  regex: text,
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
  pathExact: text,
  pathPrefix: text,
  pathRegex: text,
  caseInsensitive: flag,
  header: list(headerMatch),
  queryParam: list(queryMatch),
  methods: list(text),
});

const destination = anyCase<{
  service: string;
  serviceSubset: string;
  namespace: string;
  partition: never;
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
  service: text,
  serviceSubset: text,
  namespace: text,
  partition: elsewhere,
  prefixRewrite: text,
  requestTimeout: goDuration,
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
    partition: never;
    requestHeaders: Read<typeof headerChanges>;
    responseHeaders: Read<typeof headerChanges>;
  },
  'weight'
>(['weight'], {
  weight: number(0, 100),
  service: text,
  serviceSubset: text,
  namespace: text,
  partition: elsewhere,
  requestHeaders: headerChanges,
  responseHeaders: headerChanges,
});

export const serviceSplitter = anyCase<{ splits: Read<typeof split>[] }>({ splits: list(split) });

const target = anyCase<{
  service: string;
  serviceSubset: string;
  namespace: string;
  partition: never;
  datacenter: never;
  peer: never;
}>({
  service: text,
  serviceSubset: text,
  namespace: text,
  partition: elsewhere,
  datacenter: elsewhere,
  peer: elsewhere,
});

const failover = anyCase<{
  service: string;
  serviceSubset: string;
  namespace: string;
  datacenters: never;
  targets: Read<typeof target>[];
  policy: never;
  samenessGroup: never;
}>({
  service: text,
  serviceSubset: text,
  namespace: text,
  datacenters: elsewhere,
  targets: list(target),
  policy: elsewhere,
  samenessGroup: elsewhere,
});

const hashPolicy = anyCase<{
  field: 'header' | 'cookie' | 'query_parameter';
  fieldValue: string;
  sourceIP: boolean;
  terminal: boolean;
  cookieConfig: { session?: boolean; ttl?: number; path?: string };
}>({
  field: oneOf(['header', 'cookie', 'query_parameter']),
  fieldValue: text,
  sourceIP: flag,
  terminal: flag,
  cookieConfig: anyCase<{ session: boolean; ttl: number; path: string }>({
    session: flag,
    ttl: goDuration,
    path: text,
  }),
});

const loadBalancer = anyCase<{
  policy: string;
  ringHashConfig: { minimumRingSize?: number; maximumRingSize?: number };
  leastRequestConfig: { choiceCount?: number };
  hashPolicies: Read<typeof hashPolicy>[];
}>({
  policy: oneOf(['', 'random', 'round_robin', 'least_request', 'ring_hash', 'maglev']),
  ringHashConfig: anyCase<{ minimumRingSize: number; maximumRingSize: number }>({
    minimumRingSize: whole(1, 8_388_608),
    maximumRingSize: whole(1, 8_388_608),
  }),
  leastRequestConfig: anyCase<{ choiceCount: number }>({ choiceCount: whole(2, 100) }),
  hashPolicies: list(hashPolicy),
});

export const serviceResolver = anyCase<{
  defaultSubset: string;
  subsets: Record<string, { filter?: LabelFilter | null; onlyPassing?: boolean }>;
  redirect: Read<typeof target>;
  failover: Record<string, Read<typeof failover>>;
  connectTimeout: number;
  requestTimeout: number;
  loadBalancer: Read<typeof loadBalancer>;
  prioritizeByLocality: true;
}>({
  defaultSubset: text,
  subsets: record(
    anyCase<{ filter: LabelFilter | null; onlyPassing: boolean }>({ filter: subsetFilter, onlyPassing: flag }),
  ),
  redirect: target,
  failover: record(failover),
  connectTimeout: goDuration,
  requestTimeout: goDuration,
  loadBalancer,
  prioritizeByLocality: anything,
});

export type ServiceRouter = Read<typeof serviceRouter>;
export type RouterRoute = Read<typeof route>;
export type RouterMatch = Read<typeof httpMatch>;
export type RouterDestination = Read<typeof destination>;
export type ServiceSplitter = Read<typeof serviceSplitter>;
export type ServiceResolver = Read<typeof serviceResolver>;
export type HashWords = Read<typeof hashPolicy>;
