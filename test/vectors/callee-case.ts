import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The callee-side vectors as they are written. */

export interface CalleeCase {
  readonly id: string;
  readonly title: string;
  readonly policies?: string;
  readonly objects?: string;
  readonly callee?: string;
  readonly apps?: Readonly<Record<string, readonly AppStep[]>>;
  readonly requests: readonly CalleeRequest[];
}

export interface AppStep {
  readonly status?: number;
  readonly delay?: number;
}

export interface CalleeRequest {
  readonly path: string;
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly body?: string;
  readonly as?: string;
  readonly trust_domain?: string;
  readonly ca?: 'other';
  readonly expired?: boolean;
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly alpn?: readonly string[];
  readonly sni?: string;
  readonly tls?: boolean;
  readonly port?: number;
  readonly source_ip?: string;
  readonly jwt?: Readonly<Record<string, unknown>> | string;
  readonly jwt2?: Readonly<Record<string, unknown>> | string;
  readonly jwt_key?: 'other';
  readonly jwt_header?: Readonly<Record<string, unknown>>;
  readonly see?: readonly string[];
  readonly observed: Observed;
}

export interface Observed {
  readonly status: number | null;
  readonly from_app?: string | null;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly body?: string;
  readonly flags: string;
  readonly details: string | null;
  readonly error?: string;
  readonly hits: readonly ObservedHit[];
}

export interface ObservedHit {
  readonly pod: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers_set?: Readonly<Record<string, readonly string[]>>;
  readonly headers_removed?: readonly string[];
  readonly seen?: Readonly<Record<string, readonly string[] | null>>;
}

export function casesOf(file: string): CalleeCase[] {
  return parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as CalleeCase[];
}
