/** The shape of the cases in this folder: what was applied, what was asked, and what real Istio and Envoy were seen to do. */
export interface VectorCase {
  readonly id: string;
  readonly title: string;
  /** Policies as applied. */
  readonly policies?: string;
  /** Further Kubernetes objects. */
  readonly objects?: string;
  readonly apps?: Scripts;
  readonly requests: readonly VectorRequest[];
}

/** What apps answer, by pod: steps in order, or one that holds always. */
export type Scripts = Readonly<Record<string, Step | readonly Step[]>>;

/** One answer of an app; an empty one is 200. */
export interface Step {
  readonly status?: number;
  /** Ms before the head. */
  readonly delay?: number;
  /** Connection reset instead of an answer. */
  readonly reset?: boolean;
  /** No answer. */
  readonly hang?: boolean;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Nothing listens. */
  readonly down?: boolean;
  /** Connections are never accepted. */
  readonly blackhole?: boolean;
  /** So many times; absent = once in a list, always by itself. */
  readonly first?: number;
  /** Bytes of the body. */
  readonly size?: number;
  /** Ms between head and body. */
  readonly body_delay?: number;
  /** Head and so many bytes of the body, then a reset. */
  readonly cut?: number;
  /** The connection ends with the answer. */
  readonly close?: boolean;
}

export type HeaderInput = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

export interface VectorRequest {
  readonly to: string;
  readonly host?: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: HeaderInput;
  readonly body?: string;
  readonly body_size?: number;
  readonly repeat?: number;
  readonly concurrency?: number;
  /** So many are under way all the time. */
  readonly workers?: number;
  /** Ms before it. */
  readonly pause?: number;
  readonly apps?: Scripts;
  readonly source_ip?: string;
  readonly see?: readonly string[];
  readonly connections?: boolean;
  readonly gaps?: boolean;
  readonly samples?: boolean;
  /** Index of an earlier request of the case whose answers are compared one by one. */
  readonly compare?: number;
  /** Seconds until the caller leaves. */
  readonly patience?: number;
  readonly observed: Observed;
}

export interface ObservedHit {
  readonly pod: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers_set?: Readonly<Record<string, readonly string[]>>;
  readonly headers_removed?: readonly string[];
  readonly attempt?: number;
  readonly body_bytes?: number;
  readonly seen?: Readonly<Record<string, readonly string[] | null>>;
}

type Counts = Readonly<Record<string, number>>;

/** Of a single request, or of a repeated one (counts). */
export interface Observed {
  readonly status?: number | null;
  readonly from_app?: string | null;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly body?: string;
  readonly flags?: string | Counts;
  readonly details?: string;
  readonly attempts?: number | Counts;
  readonly hits?: readonly ObservedHit[] | Counts;
  readonly ms?: number;
  readonly error?: string;
  readonly statuses?: Counts;
  readonly from_apps?: Counts;
  readonly ms_max?: number;
  readonly connections?: Counts;
  readonly compared?: { readonly same: number; readonly moved: Readonly<Record<string, number>> };
  readonly gaps_ms?: readonly number[];
}
