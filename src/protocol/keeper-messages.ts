import type { AppSpec } from '../model/app.js';
import type { Features } from './api-types.js';

/**
 * The conversation between the command that starts a sandbox and its keeper, over the process's IPC channel. The command
 * says `up` once; the keeper tells its steps and then `ready` or `failed`. `abort`, or the end of the channel before
 * `ready`, makes the keeper undo everything. After `ready` the channel may end: the keeper stays.
 */
export type ToKeeper = { readonly type: 'up'; readonly plan: KeeperPlan } | { readonly type: 'abort' };

export type FromKeeper =
  | { readonly type: 'step'; readonly step: StepReport }
  | { readonly type: 'ready'; readonly gatewayUrl: string; readonly totalMs: number }
  | { readonly type: 'failed'; readonly message: string; readonly hints: readonly string[]; readonly undone: boolean };

export interface StepReport {
  readonly name: string;
  readonly state: 'started' | 'progress' | 'done' | 'failed';
  /** What is being done, or what came of it. */
  readonly text: string;
  readonly ms: number;
}

/** Everything the keeper needs to build one sandbox. */
export interface KeeperPlan {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly app: AppSpec;
  readonly runtime: {
    readonly kind: 'docker' | 'local';
    readonly dockerHost: string | null;
    readonly image: string | null;
  };
  readonly gatewayPort: number;
  readonly apiPort: number;
  readonly directory: string;
  readonly apiToken: string;
  readonly seed: number;
  /** Whose defaults hold: `istio`, `istio@1.23`. */
  readonly flavor: string;
  readonly features: Features;
  readonly loadRps: number;
  /** False: a plain reverse proxy in place of gateway, sidecars and control plane. */
  readonly mesh: boolean;
  /** Life of a certificate, ms; null = one hour. */
  readonly leafMs: number | null;
}
