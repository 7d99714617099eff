import { defineConfig } from 'vitest/config';

/** Tests that start containers and whole programs: they load the machine, and wait for what they ask for. */
const PROGRAMS = [
  'test/{cli,runtime,docs,compose}/**/*.test.ts',
  'test/vectors/docker.test.ts',
  'test/tui/pty.test.ts',
];

export default defineConfig({
  test: {
    maxWorkers: 2,
    // One group after the other, so that times which a test of the first group measures are not the second group's work.
    projects: [
      project('process', 0, { include: ['test/**/*.test.ts'], exclude: PROGRAMS }),
      project('programs', 1, { include: PROGRAMS }),
    ],
  },
});

function project(name: string, groupOrder: number, files: { include: string[]; exclude?: string[] }) {
  return { test: { name, ...files, testTimeout: 120_000, hookTimeout: 180_000, sequence: { groupOrder } } };
}
