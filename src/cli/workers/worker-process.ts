import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ListenAddress } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import { COMMAND_ERRORS, CommandError, type CommandCode } from '../../errors.ts';
import type { ErrorReport } from '../report-error.ts';
import type { FromWorker, Question, ToWorker } from './messages.ts';
import { sendConfig, type SentConfig } from './sent-config.ts';

const ENTRY = fileURLToPath(new URL('../worker-main.js', import.meta.url));

/** How a start went: where the worker listens, or what it says is wrong. Undefined: it ended without a word. */
export type StartOutcome = { readonly address: ListenAddress } | { readonly error: CommandError } | undefined;

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A worker as the primary sees it. */
export interface Worker {
  /** 1, 2, 3 …; no two workers of one primary have the same. */
  readonly number: number;
  readonly pid: number | undefined;
  readonly started: Promise<StartOutcome>;
  readonly ended: Promise<ProcessEnd>;
  /** Starts its proxy. */
  start(config: Config): void;
  /** What is wrong; undefined when there is no answer within `timeoutMs`. Nothing is wrong any more with a worker that has ended. */
  ask(about: 'life' | 'readiness', timeoutMs: number): Promise<readonly string[] | undefined>;
  /** Has it take `config` over, or keep the one that is in force and say what is wrong, as {@link Worker.ask} does. */
  reload(config: Config, timeoutMs: number): Promise<readonly string[] | undefined>;
  /** Lets it drain and end. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Starts a process that waits for {@link Worker.start}. */
export function forkWorker(): Worker {
  // docs/decisions/0011-workers.md
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: ENTRY, args: [] });
  return new WorkerProcess();
}

class WorkerProcess implements Worker {
  readonly started: Promise<StartOutcome>;
  readonly ended: Promise<ProcessEnd>;
  readonly #worker = cluster.fork();
  readonly #questions = new Map<number, (wrong: readonly string[] | undefined) => void>();
  /** What waits until the worker reads messages: node:cluster would drop what comes earlier. */
  #waiting: ToWorker[] | undefined = [];
  #asked = 0;
  #tellStart: (outcome: StartOutcome) => void = () => undefined;

  constructor() {
    this.started = new Promise((resolve) => {
      this.#tellStart = resolve;
    });
    this.#worker.on('message', (message: FromWorker) => {
      this.#receive(message);
    });
    // A message to a process that has just died; its end tells more.
    this.#worker.on('error', () => undefined);
    this.ended = this.#end();
  }

  get number(): number {
    return this.#worker.id;
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  start(config: Config): void {
    this.#send({ type: 'start', config: this.#ownConfig(config) });
  }

  ask(about: 'life' | 'readiness', timeoutMs: number): Promise<readonly string[] | undefined> {
    return this.#question({ about }, timeoutMs);
  }

  reload(config: Config, timeoutMs: number): Promise<readonly string[] | undefined> {
    return this.#question({ about: 'reload', config: this.#ownConfig(config) }, timeoutMs);
  }

  stop(): void {
    this.#send({ type: 'stop' });
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  /** The name tells in audit events which worker it was. The primary answers health requests. */
  #ownConfig(config: Config): SentConfig {
    return sendConfig({ ...config, name: `${config.name}/${this.number}`, admin: undefined });
  }

  #question(question: Question, timeoutMs: number): Promise<readonly string[] | undefined> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      const answer = (wrong: readonly string[] | undefined) => {
        clearTimeout(timer);
        this.#questions.delete(id);
        resolve(wrong);
      };
      const timer = setTimeout(answer, timeoutMs, undefined);
      this.#questions.set(id, answer);
      this.#send({ type: 'ask', id, question });
    });
  }

  #send(message: ToWorker): void {
    if (this.#waiting !== undefined) this.#waiting.push(message);
    else if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }

  #sendWaiting(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const message of waiting) this.#send(message);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'listening':
        this.#sendWaiting();
        break;
      case 'ready':
        this.#tellStart({ address: message.address });
        break;
      case 'failed':
        this.#tellStart({ error: errorOf(message.report) });
        break;
      case 'answer':
        this.#questions.get(message.id)?.(message.wrong);
        break;
    }
  }

  /** The exit may be known before the last message is read; after both, nothing more comes. */
  async #end(): Promise<ProcessEnd> {
    const [[exitCode, signal]] = (await Promise.all([once(this.#worker, 'exit'), once(this.#worker, 'disconnect')])) as [
      [number | null, string | null],
      unknown,
    ];
    this.#tellStart(undefined);
    for (const answer of this.#questions.values()) answer([]);
    return { exitCode, signal };
  }
}

function errorOf({ code, message, hint }: ErrorReport): CommandError {
  return new CommandError(isCommandCode(code) ? code : 'internal', message, { hint });
}

function isCommandCode(code: string): code is CommandCode {
  return Object.hasOwn(COMMAND_ERRORS, code);
}
