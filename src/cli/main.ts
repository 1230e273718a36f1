#!/usr/bin/env node
import './young-generation.ts';
import { runProgram } from './program.ts';

const { stdin, stdout, stderr, env, argv } = process;

for (const stream of [stdout, stderr]) {
  // Whoever read the output has had enough of it (`| head`).
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

process.exitCode = await runProgram(argv.slice(2), { stdin, stdout, stderr, env });
// A pipe takes its text later: only when both are through may the process end.
stdout.write('', () => {
  stderr.write('', () => {
    process.exit();
  });
});
