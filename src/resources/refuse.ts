import { READING } from '../model/finding.js';
import type { SourceRef } from '../model/source.js';
import type { Report } from './resource.js';

/** Says what a mesh's admission refuses: where, what, and what to write. */
export type Refuse = (where: SourceRef | null, message: string, hint?: string) => void;

export function refuser(report: Report): Refuse {
  return (where, message, hint = '') => report(READING.schema, 'error', where, message, hint);
}
