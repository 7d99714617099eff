import { defineConfig } from 'vitest/config';

/** What takes minutes: `npm run test:deep`. Its figures stand in RESULTS.md. */
export default defineConfig({
  test: {
    include: ['test/deep/**/*.deep.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
