import { setTimeout as pause } from 'node:timers/promises';
import type { Readiness } from '../../admin/health.ts';
import type { ListenAddress } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import { CommandError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { BackOff } from './back-off.ts';
import type { ProcessEnd, Worker } from './worker-process.ts';

/** What a {@link Supervisor} needs. */
export interface SupervisorOptions {
  /** The configuration in force at the start; `workers` says how many there are. */
  readonly config: Config;
  readonly fork: () => Worker;
  readonly log: Logger;
}

/** How often a place is filled before the start is given up, when no worker comes to say what is wrong. */
const START_ATTEMPTS = 3;
/** Longest wait for an answer about health. The checks of a worker take a second at most. */
const ANSWER_TIMEOUT_MS = 1_500;
const RELOAD_TIMEOUT_MS = 10_000;
/**
 * What a worker needs besides draining and writing its audit events, each of which may take the whole drain time-out: the renewal of a refresh
 * token that is under way is waited for, however short the time-out is.
 */
const STOP_GRACE_MS = 15_000;

/** Keeps a number of workers running, and speaks for all of them. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  /** Each keeps one place filled, and ends with the stop. */
  readonly #places: Promise<void>[] = [];
  readonly #workers = new Set<Worker>();
  readonly #ready = new Set<Worker>();
  readonly #halt = new AbortController();
  #config: Config;
  #address: ListenAddress | undefined;
  #unclean = 0;
  #moved: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** Where the workers listen. */
  get address(): ListenAddress {
    if (this.#address === undefined) throw new CommandError('internal', 'no worker listens yet');
    return this.#address;
  }

  /** Sets who is told when the workers listen elsewhere: on port 0, after all of them had ended. */
  onMoved(listener: () => void): void {
    this.#moved = listener;
  }

  /**
   * Starts the workers; resolves when all are ready. Rejects with what the first one that cannot start says, or with `worker_failed` when
   * it ends without a word again and again; then no worker is left.
   */
  async start(): Promise<void> {
    try {
      // What is wrong with the set-up is met by the first worker alone, and so told once.
      await this.#fillPlace();
      await Promise.all(Array.from({ length: this.#config.workers - 1 }, () => this.#fillPlace()));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Has all workers take `next` over. When one cannot, all go back to the one before, and this rejects with `worker_failed`. */
  async reload(next: Config): Promise<void> {
    const previous = this.#config;
    const problem = await this.#apply(next);
    if (problem === undefined) return;
    await this.#apply(previous);
    throw new CommandError('worker_failed', problem);
  }

  /** Whether every worker that is ready answers. */
  async alive(): Promise<boolean> {
    return (await this.#ask('life')).every(({ wrong }) => wrong !== undefined);
  }

  /** Ready when every place has a worker that is. */
  async readiness(): Promise<Readiness> {
    if (this.#isStopping()) return { status: 'draining', failed: [] };
    const failed = new Set((await this.#ask('readiness')).flatMap(({ wrong }) => wrong ?? ['workers']));
    if (this.#ready.size < this.#config.workers) failed.add('workers');
    return { status: failed.size === 0 ? 'ready' : 'not ready', failed: [...failed].sort() };
  }

  /** Lets all workers drain and end. Resolves when none is left, with the number of those that did not end as they should. */
  async stop(): Promise<number> {
    this.#halt.abort();
    for (const worker of this.#workers) worker.stop();
    const timer = setTimeout(
      () => {
        for (const worker of this.#workers) worker.kill();
      },
      2 * this.#config.shutdown.drainTimeoutMs + STOP_GRACE_MS,
    );
    await Promise.all(this.#places);
    clearTimeout(timer);
    return this.#unclean;
  }

  #isStopping(): boolean {
    return this.#halt.signal.aborted;
  }

  #ask(about: 'life' | 'readiness'): Promise<Answer[]> {
    return answersOf(this.#ready, (worker) => worker.ask(about, ANSWER_TIMEOUT_MS));
  }

  /** Makes `config` the one in force, for workers to come, too. Resolves with what a worker says against it. */
  async #apply(config: Config): Promise<string | undefined> {
    this.#config = config;
    const answers = await answersOf(this.#workers, (worker) => worker.reload(config, RELOAD_TIMEOUT_MS));
    const refusal = answers.find(({ wrong }) => wrong?.length !== 0);
    if (refusal === undefined) return undefined;
    return `worker ${refusal.worker.number} does not take the configuration over: ${refusal.wrong?.join('; ') ?? 'no answer'}`;
  }

  /** Keeps one more place filled until the stop. Resolves when its worker is ready for the first time. */
  #fillPlace(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#places.push(this.#keepFilled(resolve, reject));
    });
  }

  async #keepFilled(filled: () => void, giveUp: (error: CommandError) => void): Promise<void> {
    const backOff = new BackOff();
    let wasFilled = false;
    for (let attempt = 1; !this.#isStopping(); attempt += 1) {
      const forkedAt = performance.now();
      const worker = this.#fork();
      const outcome = await worker.started;
      if (outcome !== undefined && 'address' in outcome) {
        wasFilled = true;
        this.#enter(worker, outcome.address);
        filled();
      }
      const end = await worker.ended;
      this.#leave(worker, end);
      if (this.#isStopping()) return;
      const error = outcome !== undefined && 'error' in outcome ? outcome.error : undefined;
      if (!wasFilled && (error !== undefined || attempt === START_ATTEMPTS)) {
        giveUp(
          error ?? new CommandError('worker_failed', `worker after worker ends before it is ready, the last one with ${endText(end)}`),
        );
        return;
      }
      const waitMs = backOff.after(performance.now() - forkedAt);
      const fields = { worker: worker.number, workerPid: worker.pid, ...end, err: error, waitMs };
      this.#options.log.error(fields, 'a worker ended, another one takes its place');
      await pause(waitMs, undefined, { signal: this.#halt.signal }).catch(() => undefined);
    }
  }

  #fork(): Worker {
    const worker = this.#options.fork();
    this.#workers.add(worker);
    worker.start(this.#config);
    return worker;
  }

  #enter(worker: Worker, address: ListenAddress): void {
    this.#ready.add(worker);
    this.#options.log.info({ worker: worker.number, workerPid: worker.pid }, 'worker ready');
    const before = this.#address;
    this.#address = address;
    if (before !== undefined && before.port !== address.port) this.#moved();
  }

  #leave(worker: Worker, end: ProcessEnd): void {
    this.#workers.delete(worker);
    const wasReady = this.#ready.delete(worker);
    if (!this.#isStopping() || !wasReady || end.exitCode === 0) return;
    this.#unclean += 1;
    this.#options.log.error({ worker: worker.number, workerPid: worker.pid, ...end }, 'a worker did not end as it should');
  }
}

interface Answer {
  readonly worker: Worker;
  readonly wrong: readonly string[] | undefined;
}

function answersOf(workers: Iterable<Worker>, ask: (worker: Worker) => Promise<Answer['wrong']>): Promise<Answer[]> {
  return Promise.all([...workers].map(async (worker) => ({ worker, wrong: await ask(worker) })));
}

function endText({ exitCode, signal }: ProcessEnd): string {
  return signal === null ? `exit code ${String(exitCode)}` : `signal ${signal}`;
}
