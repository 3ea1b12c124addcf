import { defineConfig } from 'vitest/config'

export default defineConfig({
  cacheDir: '../node_modules/.vite-e2e',
  test: {
    root: import.meta.dirname,
    include: ['**/*.e2e.mts'],
    globalSetup: ['./server.mts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One browser, one page at a time: the machine that runs this may be small.
    fileParallelism: false,
  },
})
