import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { VectorCase } from './case.js';

/** Cases of one file of this folder. */
export function casesOf(file: string): VectorCase[] {
  return parse(readFileSync(join(import.meta.dirname, file), 'utf8'), { maxAliasCount: -1 }) as VectorCase[];
}
