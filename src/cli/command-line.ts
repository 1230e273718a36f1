/** The process of one command. */
import './heap.ts';
import { Socket } from 'node:net';
import { FileStream } from './file-stream.ts';
import { reportOutputError, runProgram } from './program.ts';

const STANDARD_OUTPUT = 1;

const { stdin, stderr, env, argv } = process;
// Pipes and terminals are sockets to Node.
const stdout = process.stdout instanceof Socket ? process.stdout : new FileStream(STANDARD_OUTPUT);
const args = argv.slice(2);
const terminal = { stdin, stdout, stderr, env };

stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A command that listens itself deals with it first, and then fails.
  if (stdout.listenerCount('error') > 1) return;
  endWithReader(error);
  const exitCode = reportOutputError(error, args, terminal);
  stderr.write('', () => process.exit(exitCode));
});
stderr.on('error', (error: NodeJS.ErrnoException) => {
  endWithReader(error);
  // As without this listener, unless the command takes it.
  if (stderr.listenerCount('error') === 1) throw error;
});

/** Whoever read the output has had enough of it (`| head`). */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
}

process.exitCode = await runProgram(args, terminal);
// A pipe takes its text later: only when both are through may the process end.
stdout.write('', (error) => {
  // The event tells it.
  if (error instanceof Error) return;
  stderr.write('', () => {
    process.exit();
  });
});
