/**
 * Loaded into every process of a test file (ava.config.js). A process that does not end once its tests have, because one of them left a
 * server or a connection open, would otherwise be waited for: for ever, when a failed test skipped what it stops at its end.
 */
import { registerCompletionHandler } from 'ava';

const PATIENCE_MS = 10_000;

registerCompletionHandler(() => {
  setTimeout(() => {
    console.error(`Its tests have ended, but this file holds open: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  }, PATIENCE_MS).unref();
});
