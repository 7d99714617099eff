import { flag, list, oneOf, type Read, table, tableWith, text, whole } from '../../yaml/readers.js';
import { portNumber } from '../words.js';
import {
  backendFields,
  duration,
  fieldMatch,
  fieldModifier,
  hostName,
  matchType,
  mirrorFilter,
  noticed,
  parentRef,
  preciseHostName,
  sectionName,
} from './words.js';

/** What an HTTPRoute may hold (gateway-api apis/v1/httproute_types.go), as it is read. */

const pathMatch = table({ type: oneOf(['Exact', 'PathPrefix', 'RegularExpression']), value: text });
const queryMatch = tableWith(['name', 'value'], { type: matchType, name: text, value: text });

const httpMatch = table({
  path: pathMatch,
  headers: list(fieldMatch),
  queryParams: list(queryMatch),
  method: oneOf(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']),
});

const pathModifier = tableWith(['type'], {
  type: oneOf(['ReplaceFullPath', 'ReplacePrefixMatch']),
  replaceFullPath: text,
  replacePrefixMatch: text,
});

const redirect = table({
  scheme: oneOf(['http', 'https']),
  hostname: preciseHostName,
  path: pathModifier,
  port: portNumber(),
  statusCode: whole(0, 999),
});

const rewrite = table({ hostname: preciseHostName, path: pathModifier });

const cors = table({
  allowOrigins: list(text),
  allowCredentials: flag,
  allowMethods: list(text),
  allowHeaders: list(text),
  exposeHeaders: list(text),
  maxAge: whole(1, 2_147_483_647),
});

const filter = tableWith(['type'], {
  type: oneOf([
    'RequestHeaderModifier',
    'ResponseHeaderModifier',
    'RequestMirror',
    'RequestRedirect',
    'URLRewrite',
    'CORS',
    'ExtensionRef',
    'ExternalAuth',
  ]),
  requestHeaderModifier: fieldModifier,
  responseHeaderModifier: fieldModifier,
  requestMirror: mirrorFilter,
  requestRedirect: redirect,
  urlRewrite: rewrite,
  cors,
  extensionRef: tableWith(['group', 'kind', 'name'], { group: text, kind: text, name: text }),
  externalAuth: noticed,
});

const backendRef = tableWith(['name'], { ...backendFields, filters: list(filter) });

const rule = table({
  name: sectionName,
  matches: list(httpMatch),
  filters: list(filter),
  backendRefs: list(backendRef),
  timeouts: table({ request: duration, backendRequest: duration }),
  retry: table({ codes: list(whole(400, 599)), attempts: whole(0, 2_147_483_647), backoff: duration }),
  sessionPersistence: noticed,
});

export const httpRoute = table({
  parentRefs: list(parentRef),
  hostnames: list(hostName),
  rules: list(rule),
  useDefaultGateways: noticed,
});

export type HttpRoute = Read<typeof httpRoute>;
export type HttpRule = Read<typeof rule>;
export type HttpMatch = Read<typeof httpMatch>;
export type HttpFilter = Read<typeof filter>;
export type BackendRef = Read<typeof backendRef>;
export type ParentRef = Read<typeof parentRef>;
export type PathModifier = Read<typeof pathModifier>;
export type RedirectFilter = Read<typeof redirect>;
export type RewriteFilter = Read<typeof rewrite>;
export type CorsFilter = Read<typeof cors>;
export type FieldModifier = Read<typeof fieldModifier>;
