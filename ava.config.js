import { availableParallelism } from 'node:os';

/**
 * The tests run compiled. Every file has a process of its own: tests start servers and commands and set the environment, so they share
 * nothing. `dist-*` are the output folders of people who work in the same tree at the same time; `npm test` runs only `dist`.
 */
export default {
  files: ['dist*/test/**/*.test.js'],
  require: ['./dist/test/support/must-exit.js'],
  nodeArguments: ['--enable-source-maps'],
  workerThreads: false,
  concurrency: Math.min(4, Math.max(2, availableParallelism())),
  failFast: false,
  // As long as the longest that a test asks for by t.timeout(): ava forgets a shorter one that ends within it, and waits for ever.
  timeout: '3m',
};
