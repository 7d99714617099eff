import { openTable, type Read, record, text } from '../../yaml/readers.js';

/** A ConfigMap, as far as it holds texts. */
export const configMap = openTable({ data: record(text) });

export type ConfigMap = Read<typeof configMap>;
