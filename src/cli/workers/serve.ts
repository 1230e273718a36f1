import cluster from 'node:cluster';
import { startProxy, type RunningProxy } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import { createLogger, type Logger } from '../../log.ts';
import { reportOf } from '../report-error.ts';
import type { FromWorker, Question, ToWorker } from './messages.ts';
import { receiveConfig } from './sent-config.ts';
import { bodyBytesPassed } from '../heap.ts';

/** Errors of the channel to a primary that is gone. */
const CHANNEL_ENDS: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET', 'ERR_IPC_CHANNEL_CLOSED']);

/** Serves as a worker of the primary process that forked this one, until it says to stop or is gone. */
export function serveAsWorker(): void {
  const own = cluster.worker;
  if (own === undefined) throw new Error('a worker is started by `alter-proxy start` only');
  const service = new WorkerService(own.id);
  process.on('message', (message: ToWorker) => {
    service.receive(message);
  });
  // What is written to a primary that has just died fails here, also what node:cluster itself writes; `disconnect` follows and says so.
  // The process emits it, and node:cluster hands it to the worker, where an error that nobody listens to ends the process.
  own.on('error', (error: NodeJS.ErrnoException) => {
    if (!CHANNEL_ENDS.has(error.code ?? '')) throw error;
  });
  own.on('disconnect', () => {
    // Without it node:cluster ends the process right after this event, with whatever is under way.
    own.exitedAfterDisconnect = true;
    service.primaryIsGone();
  });
  send({ type: 'listening' });
}

class WorkerService {
  readonly #number: number;
  #log: Logger | undefined;
  #config: Config | undefined;
  /** Undefined within: the start failed, and this process is about to end. */
  #proxy: Promise<RunningProxy | undefined> = Promise.resolve(undefined);
  #stopping = false;

  constructor(number: number) {
    this.#number = number;
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        this.#proxy = this.#start(receiveConfig(message.config));
        break;
      case 'ask':
        void this.#answer(message.id, message.question);
        break;
      case 'stop':
        void this.#stop();
        break;
    }
  }

  /** Ends as after a stop. During a stop it ends at once: a second signal has ended the primary. */
  primaryIsGone(): void {
    if (this.#stopping) process.exit(1);
    this.#log?.error({}, 'the primary process is gone, this worker drains and ends');
    void this.#stop();
  }

  async #start(config: Config): Promise<RunningProxy | undefined> {
    const log = createLogger(config.log.level).child({ worker: this.#number });
    this.#log = log;
    this.#config = config;
    try {
      const proxy = await startProxy(config, { log, reload: () => this.#config ?? config, bodyBytesPassed });
      send({ type: 'ready', address: proxy.address });
      return proxy;
    } catch (error) {
      send({ type: 'failed', report: reportOf(error) }, () => process.exit(1));
      return undefined;
    }
  }

  async #answer(id: number, question: Question): Promise<void> {
    send({ type: 'answer', id, wrong: await this.#whatIsWrong(question) });
  }

  async #whatIsWrong(question: Question): Promise<readonly string[]> {
    if (question.about === 'life') return [];
    const proxy = await this.#proxy;
    if (proxy === undefined) return [];
    if (question.about === 'readiness') return (await proxy.readiness()).failed;
    this.#config = receiveConfig(question.config);
    const result = await proxy.reload();
    return result.ok ? [] : [result.error.message];
  }

  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const proxy = await this.#proxy;
    await proxy?.stop();
    process.exit(0);
  }
}

function send(message: FromWorker, sent: () => void = () => undefined): void {
  // Without a primary there is nobody to tell.
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else sent();
}
