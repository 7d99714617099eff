import type { SourceRef } from './source.js';

export type FindingLevel = 'error' | 'warning' | 'info';

/**
 * Something about the team's files that it should know: an error keeps them from being applied. Codes are those of
 * `istioctl analyze` (IST…) and Kiali (KIA…) where one exists, ours begin with MS.
 */
export interface Finding {
  readonly code: string;
  readonly level: FindingLevel;
  /** `VirtualService default/reviews`; '' = the file. */
  readonly object: string;
  readonly source: SourceRef;
  /** What is wrong and why it matters, without a full stop. */
  readonly message: string;
  /** What to write; '' = nothing better is known. */
  readonly hint: string;
  /** Other tools' codes for the same. */
  readonly also?: readonly string[];
}

/** What files hold that is not as it should be, before any rule is asked. */
export const READING = {
  /** It does not fit the schema. */
  schema: 'IST0106',
  /** A field that is known and not obeyed. */
  unsupportedField: 'MS0001',
  /** A kind that is not obeyed. */
  unsupportedKind: 'MS0002',
  /** One resource stands twice. */
  duplicate: 'MS0003',
} as const;

/** `policies.yaml:7:3` */
export function placeText({ file, line, column }: SourceRef): string {
  return `${file}:${line}:${column}`;
}
