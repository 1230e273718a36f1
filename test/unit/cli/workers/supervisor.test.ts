/** The supervisor keeps its workers running and speaks for all of them. The workers here are no processes: they do as the test says. */
import test, { type ExecutionContext } from 'ava';
import { Supervisor } from '../../../../src/cli/workers/supervisor.ts';
import type { ProcessEnd, StartOutcome, Worker } from '../../../../src/cli/workers/worker-process.ts';
import type { Config } from '../../../../src/config/config.ts';
import { CommandError } from '../../../../src/errors.ts';
import { configHome } from '../../../support/config-home.ts';
import { eventually } from '../../../support/eventually.ts';

type Wrong = readonly string[] | undefined;

class FakeWorker implements Worker {
  readonly number: number;
  readonly started: Promise<StartOutcome>;
  readonly ended: Promise<ProcessEnd>;
  /** Every configuration it was given, `ungranted` only. */
  readonly given: string[] = [];
  wrong: { life: Wrong; readiness: Wrong; reload: Wrong } = { life: [], readiness: [], reload: [] };
  /** A worker that hangs does not end when it is told to stop. */
  hangs = false;
  /** Settles the start. */
  begin: (outcome: StartOutcome) => void = () => {};
  #end: (end: ProcessEnd) => void = () => {};

  constructor(number: number) {
    this.number = number;
    this.started = new Promise((resolve) => (this.begin = resolve));
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  get pid(): number {
    return 1000 + this.number;
  }

  ready(port = 7890): void {
    this.begin({ address: { host: '127.0.0.1', port } });
  }

  end(exitCode: number | null, signal: string | null = null): void {
    this.begin(undefined);
    this.#end({ exitCode, signal });
  }

  start(config: Config): void {
    this.given.push(config.ungranted);
  }

  async ask(about: 'life' | 'readiness'): Promise<Wrong> {
    return this.wrong[about];
  }

  async reload(config: Config): Promise<Wrong> {
    this.given.push(config.ungranted);
    return this.wrong.reload;
  }

  stop(): void {
    if (!this.hangs) this.end(0);
  }

  kill(): void {
    this.end(null, 'SIGKILL');
  }
}

/** A supervisor, and the workers it has forked so far. `onFork` decides how each begins; ready unless stated. */
function supervised(t: ExecutionContext, count: number, onFork: (worker: FakeWorker) => void = (worker) => worker.ready()) {
  const config = configHome(t).load({ flags: { workers: count }, env: { ALTER_SHUTDOWN_DRAIN_TIMEOUT_MS: '0' } });
  const workers: FakeWorker[] = [];
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  const log = { error: write, warn: write, info: write, debug: write, child: () => log, setLevel: () => {} };
  const fork = () => {
    const worker = new FakeWorker(workers.length + 1);
    workers.push(worker);
    onFork(worker);
    return worker;
  };
  const supervisor = new Supervisor({ config, fork, log });
  t.teardown(() => supervisor.stop());
  return { supervisor, workers, lines, config };
}

test('what the first worker says is wrong ends the start, and no other one is tried', async (t) => {
  const error = new CommandError('store_corrupt', 'the store is damaged');
  const { supervisor, workers } = supervised(t, 4, (worker) => {
    worker.begin({ error });
    worker.end(1);
  });
  t.is(await t.throwsAsync(supervisor.start()), error);
  t.is(workers.length, 1);
});

test('workers that end without a word are tried three times; then the start has failed and nothing is left', async (t) => {
  const { supervisor, workers } = supervised(t, 2, (worker) => worker.end(null, 'SIGSEGV'));
  await t.throwsAsync(supervisor.start(), { code: 'worker_failed', message: /signal SIGSEGV$/ });
  t.is(workers.length, 3);
});

test('a worker that cannot start ends the start of the others, too', async (t) => {
  const { supervisor, workers } = supervised(t, 3, (worker) => {
    if (worker.number < 3) worker.ready();
    else worker.end(7);
  });
  await t.throwsAsync(supervisor.start(), { code: 'worker_failed', message: /exit code 7$/ });
  t.deepEqual(await Promise.all(workers.slice(0, 2).map(({ ended }) => ended)), [
    { exitCode: 0, signal: null },
    { exitCode: 0, signal: null },
  ]);
});

test('after the start a worker that ends is replaced for as long as it takes, by one with a new number', async (t) => {
  const { supervisor, workers, lines } = supervised(t, 2, (worker) => {
    if (worker.number === 3) {
      worker.begin({ error: new CommandError('keyring_unreadable', 'gone') });
      worker.end(1);
    } else worker.ready();
  });
  await supervisor.start();
  t.is(workers.length, 2);
  workers[0]?.end(null, 'SIGKILL');
  await eventually(() => (workers.length === 4 ? true : undefined), 'the second replacement');
  await eventually(async () => ((await supervisor.readiness()).status === 'ready' ? true : undefined), 'readiness');
  t.is(lines.filter((line) => line === 'a worker ended, another one takes its place').length, 2);
});

test('ready is: every place has a worker, and each of them answers that nothing is wrong', async (t) => {
  const { supervisor, workers } = supervised(t, 2, (worker) => {
    if (worker.number <= 2) worker.ready();
  });
  await supervisor.start();
  t.deepEqual(await supervisor.readiness(), { status: 'ready', failed: [] });
  workers[0]!.wrong.readiness = ['store'];
  t.deepEqual(await supervisor.readiness(), { status: 'not ready', failed: ['store'] });
  workers[1]!.wrong.readiness = undefined;
  t.deepEqual(await supervisor.readiness(), { status: 'not ready', failed: ['store', 'workers'] });
  workers[1]!.end(1);
  workers[0]!.wrong.readiness = [];
  await workers[1]!.ended;
  t.deepEqual(await supervisor.readiness(), { status: 'not ready', failed: ['workers'] });
  const stopping = supervisor.stop();
  t.deepEqual(await supervisor.readiness(), { status: 'draining', failed: [] });
  workers[2]?.end(0);
  await stopping;
});

test('alive is: no worker that is ready keeps silent', async (t) => {
  const { supervisor, workers } = supervised(t, 2, (worker) => {
    if (worker.number <= 2) worker.ready();
  });
  await supervisor.start();
  t.true(await supervisor.alive());
  workers[1]!.wrong.life = undefined;
  t.false(await supervisor.alive());
  workers[1]!.end(null, 'SIGKILL');
  await workers[1]!.ended;
  t.true(await supervisor.alive(), 'one that is gone is being replaced');
});

test('a configuration that one worker does not take over is taken back from all', async (t) => {
  const { supervisor, workers, config } = supervised(t, 2);
  await supervisor.start();
  workers[1]!.wrong.reload = ['no such file'];
  await t.throwsAsync(supervisor.reload({ ...config, ungranted: 'deny' }), { code: 'worker_failed', message: /^worker 2 .*no such file$/ });
  for (const { given } of workers) t.deepEqual(given, ['forward', 'deny', 'forward']);
  workers[1]!.wrong.reload = undefined;
  await t.throwsAsync(supervisor.reload({ ...config, ungranted: 'deny' }), { message: /no answer$/ });
  workers[0]!.end(1);
  await eventually(() => (workers.length === 3 ? true : undefined), 'the replacement');
  t.deepEqual(workers[2]!.given, ['forward']);
});

test('a worker that comes later starts with the configuration in force', async (t) => {
  const { supervisor, workers, config } = supervised(t, 2);
  await supervisor.start();
  await supervisor.reload({ ...config, ungranted: 'deny' });
  workers[0]!.end(1);
  await eventually(() => (workers.length === 3 ? true : undefined), 'the replacement');
  t.deepEqual(workers[2]!.given, ['deny']);
});

test('another port is told', async (t) => {
  const { supervisor, workers } = supervised(t, 2, (worker) => worker.ready(worker.number <= 3 ? 4001 : 4002));
  const ports: number[] = [];
  supervisor.onMoved(() => ports.push(supervisor.address.port));
  await supervisor.start();
  workers[0]!.end(1);
  await eventually(() => (workers.length === 3 ? true : undefined), 'the first replacement');
  workers[1]!.end(1);
  await eventually(() => (ports.length > 0 ? true : undefined), 'the second replacement');
  t.deepEqual(ports, [4002]);
});

test('a stop ends all workers; one that hangs is killed after a while and counted', async (t) => {
  const { supervisor, workers } = supervised(t, 2);
  await supervisor.start();
  workers[0]!.hangs = true;
  t.is(await supervisor.stop(), 1);
  t.deepEqual(await workers[0]!.ended, { exitCode: null, signal: 'SIGKILL' });
  t.deepEqual(await workers[1]!.ended, { exitCode: 0, signal: null });
  t.is(workers.length, 2);
});
