/** Options of `up`, as commander hands them over. */
export interface UpFlags {
  readonly detach?: boolean;
  /** Policy files that are applied when it is ready. */
  readonly filename: string[];
  readonly runtime: 'auto' | 'docker' | 'local';
  readonly name?: string;
  readonly seed?: number;
  readonly flavor: string;
  readonly port: number;
  readonly load?: number;
  readonly json?: boolean;
  readonly dockerHost?: string;
  readonly image?: string;
  readonly mtls?: 'disable' | 'permissive' | 'strict';
  readonly mesh: boolean;
  readonly tui: boolean;
  readonly certificateLife?: number;
}
