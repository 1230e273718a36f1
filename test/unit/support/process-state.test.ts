import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { isAlive } from '../../../src/cli/run-file.ts';
import { eventually } from '../../support/eventually.ts';
import { isRunning } from '../../support/process-state.ts';

test('a process that has ended does not run, though its parent never asks for it', async (t) => {
  // In the place of the shell, which would ask, comes a program that has no idea of its child.
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => parent.kill('SIGKILL'));
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const child = Number(said);
  await eventually(() => readFileSync(`/proc/${String(parent.pid)}/comm`, 'utf8') === 'sleep\n' || undefined, 'the other program');
  t.true(isRunning(child));
  process.kill(child, 'SIGKILL');
  await eventually(() => !isRunning(child) || undefined, 'the end of the child');
  t.true(isAlive(child), 'its id is still taken');
});
