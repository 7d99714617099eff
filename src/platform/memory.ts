import { getHeapStatistics } from 'node:v8';

/** The heap of this process: what is used, and how large it may become. */
export function heapReading(): { usedBytes: number; limitBytes: number } {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return { usedBytes: used_heap_size, limitBytes: heap_size_limit };
}
