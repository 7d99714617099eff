import { list, oneOf, type Read, table, tableWith, text } from '../../yaml/readers.js';
import {
  backendFields,
  fieldMatch,
  fieldModifier,
  hostName,
  matchType,
  mirrorFilter,
  noticed,
  parentRef,
  sectionName,
} from './words.js';

/** What a GRPCRoute may hold (gateway-api apis/v1/grpcroute_types.go), as it is read. */

const methodMatch = table({ type: matchType, service: text, method: text });
const grpcMatch = table({ method: methodMatch, headers: list(fieldMatch) });

const filter = tableWith(['type'], {
  type: oneOf(['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror', 'ExtensionRef']),
  requestHeaderModifier: fieldModifier,
  responseHeaderModifier: fieldModifier,
  requestMirror: mirrorFilter,
  extensionRef: tableWith(['group', 'kind', 'name'], { group: text, kind: text, name: text }),
});

const rule = table({
  name: sectionName,
  matches: list(grpcMatch),
  filters: list(filter),
  backendRefs: list(tableWith(['name'], { ...backendFields, filters: list(filter) })),
  sessionPersistence: noticed,
});

export const grpcRoute = table({
  parentRefs: list(parentRef),
  hostnames: list(hostName),
  rules: list(rule),
  useDefaultGateways: noticed,
});

export type GrpcRoute = Read<typeof grpcRoute>;
export type GrpcMatch = Read<typeof grpcMatch>;
