import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { VectorCase } from './case.js';

/** Cases of one file of this folder. */
export function casesOf(file: string): VectorCase[] {
  return parse(readFileSync(join(import.meta.dirname, file), 'utf8'), { maxAliasCount: -1 }) as VectorCase[];
}

/** Files of what happens on the callers' side. */
export const CALLER_FILES: readonly string[] = readdirSync(import.meta.dirname).filter(
  (file) => /^(?:route|res|gamma)-.*\.yaml$/.test(file) && file !== 'res-validate.yaml',
);
