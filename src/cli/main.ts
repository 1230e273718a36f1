#!/usr/bin/env node
/** Looks at Node before anything is loaded that an old one cannot read. */
import { tooOld } from './node-version.ts';

const wrong = tooOld(process.versions.node);
if (wrong === undefined) await import('./command-line.ts');
else {
  process.stderr.write(`error: ${wrong}\n`);
  process.exitCode = 1;
}
