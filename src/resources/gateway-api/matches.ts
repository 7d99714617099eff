import type { FieldMatch, PathMatch, QueryMatch, RouteMatch, TextMatch } from '../../model/route.js';
import type { GrpcMatch } from './grpc-route.js';
import type { HttpMatch } from './http-route.js';

/** Every path, said by nobody: such a match comes after all that say anything of the path (Istio). */
const ANY_PATH: PathMatch = { kind: 'prefix', value: '', ignoreCase: false };

/** A rule without matches takes everything, which the CRD writes as the path prefix `/`. */
export const EVERY_PATH: RouteMatch = { path: segments('/'), methods: [], fields: [], query: [] };
/** For a GRPCRoute the CRD writes nothing. */
export const EVERY_CALL: RouteMatch = { path: ANY_PATH, methods: [], fields: [], query: [] };

export function httpMatchOf({ path, headers = [], queryParams = [], method }: HttpMatch): RouteMatch {
  return {
    path: pathOf(path),
    methods: method === undefined ? [] : [method],
    fields: headers.map(fieldMatchOf),
    query: queryParams.map((test): QueryMatch => ({ ...textOf(test), name: test.name })),
  };
}

function pathOf({ type = 'PathPrefix', value = '/' }: NonNullable<HttpMatch['path']> = {}): PathMatch {
  switch (type) {
    case 'Exact':
      return { kind: 'exact', value, ignoreCase: false };
    case 'PathPrefix':
      // "When specified, a trailing / is ignored."
      return segments(value === '/' ? value : value.replace(/\/$/, ''));
    case 'RegularExpression':
      return { kind: 'regex', value, ignoreCase: false };
  }
}

function segments(value: string): PathMatch {
  return { kind: 'segments', value, ignoreCase: false };
}

export function grpcMatchOf({ method, headers = [] }: GrpcMatch): RouteMatch {
  return {
    path: method === undefined ? ANY_PATH : callPath(method),
    methods: [],
    fields: headers.map(fieldMatchOf),
    query: [],
  };
}

/** The path of a gRPC call is `/service/method`; expressions are joined as they are, without brackets (observed). */
function callPath({ type = 'Exact', service, method }: NonNullable<GrpcMatch['method']>): PathMatch {
  const regex = (value: string): PathMatch => ({ kind: 'regex', value, ignoreCase: false });
  if (service === undefined) return regex(`/[^/]+/${method}`);
  if (type === 'RegularExpression') return regex(`/${service}/${method ?? '.+'}`);
  return method === undefined
    ? segments(`/${service}/`)
    : { kind: 'exact', value: `/${service}/${method}`, ignoreCase: false };
}

/** Several entries for one name, in another letter case, must all hold (observed; in the same case none are admitted). */
function fieldMatchOf(test: { readonly name: string; readonly type?: string; readonly value: string }): FieldMatch {
  return { ...textOf(test), name: test.name.toLowerCase(), invert: false, missingAsEmpty: false };
}

function textOf({ type, value }: { readonly type?: string; readonly value: string }): TextMatch {
  return { kind: type === 'RegularExpression' ? 'regex' : 'exact', value };
}
