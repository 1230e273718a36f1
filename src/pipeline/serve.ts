import { describeExchange } from './describe.ts';
import type { Recorder } from '../audit/recorder.ts';
import { AlterError } from '../errors.ts';
import type { CallerPathRedaction } from '../inject/caller-paths.ts';
import { fieldName } from '../message/field-name.ts';
import type { HeaderList } from '../message/header-list.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { MemoryBudget } from '../message/memory-budget.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Caller } from '../principals/caller.ts';
import type { Flight, Forward, ResponseSink } from '../upstream/forward.ts';
import { lineageOf } from '../vault/lineage.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import { KEY_DEPRECATED } from '../principals/caller.ts';
import type { BodySpoolLimits } from './body-spool.ts';
import { cleanHead, cleanTrailers } from './clean-answer.ts';
import type { ClientEvents, ClientStream } from './client-stream.ts';
import { frame } from './draft-body.ts';
import type { Exchange } from './exchange.ts';
import { isolationOf } from './isolation.ts';
import { RequestBody } from './request-body.ts';
import type { BodyObserver } from './request-body.ts';
import { prepareRun, refusal } from './run.ts';
import type { Run } from './run.ts';
import { SecondTry, wantsSecondTry } from './second-try.ts';
import { injectAgain } from './stage-inject.ts';
import type { Stage } from './stage.ts';
import type { Use, Verdict } from './standing.ts';
import type { UnderWay } from './under-way.ts';

/** What serving an exchange needs. */
export interface ServeServices {
  readonly stages: readonly Stage[];
  readonly forward: Forward;
  readonly recorder: Recorder;
  readonly underWay: Pick<UnderWay, 'enter' | 'leave' | 'judge'>;
  readonly redactCallerPath: CallerPathRedaction;
  readonly now: () => number;
  /** Memory for bodies that are read whole. */
  readonly bodyMemory: MemoryBudget;
  /** Where larger ones go; undefined: nowhere. */
  readonly bodySpool: BodySpoolLimits | undefined;
  /** Is told of bytes of bodies, in either direction. */
  readonly bodyBytesPassed: (bytes: number) => void;
  readonly log: { error(fields: object, message: string): void; warn(fields: object, message: string): void };
}

const REQUEST_ID = fieldName('X-Alter-Request-Id');

/** Takes one exchange from its request to its audit event. */
export type Serve = (exchange: Exchange, client: ClientStream) => void;

/** Makes the function that serves exchanges. */
export function createServe(services: ServeServices): Serve {
  const run = prepareRun(services.stages);
  return (exchange, client) => {
    new Serving(services, run, exchange, client).start();
  };
}

/** One exchange under way. Whatever happens, {@link Serving.#finish} runs exactly once. */
class Serving implements ResponseSink, Use, BodyObserver, ClientEvents {
  readonly #services: ServeServices;
  readonly #run: Run;
  readonly exchange: Exchange;
  readonly #client: ClientStream;
  #flight: Flight | undefined;
  #status: number | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  /** Of flights before the one under way. */
  #retries = 0;
  #admitted = false;
  #interrupted = false;
  #finished = false;
  /** Among what is under way. */
  place = -1;

  constructor(services: ServeServices, run: Run, exchange: Exchange, client: ClientStream) {
    this.#services = services;
    this.#run = run;
    this.exchange = exchange;
    this.#client = client;
  }

  start(): void {
    this.#client.listen(this);
    if (this.#finished) return;
    const { body } = this.#client;
    if (body !== undefined) this.exchange.body = new RequestBody(body, this.exchange.request.bodyLength, this);
    const refused = this.#run(this.exchange);
    if (refused instanceof Promise) this.#wait(refused);
    else this.#judged(refused);
  }

  drain(): void {
    this.#flight?.resume();
  }

  gone(): void {
    if (!this.#finish(undefined, true)) return;
    this.#flight?.abort();
  }

  informational(head: ResponseHead): void {
    if (!this.#finished) this.#client.informational(cleanHead(head, this.exchange));
  }

  head(head: ResponseHead): void {
    const cleaned = cleanHead(head, this.exchange);
    cleaned.headers.add({ name: REQUEST_ID, value: this.exchange.id });
    if (this.exchange.caller.deprecated === true) cleaned.headers.append(KEY_DEPRECATED, 'true');
    this.#addAnswerHeaders(cleaned.headers);
    try {
      this.#client.head(cleaned);
    } catch (cause) {
      this.#flight?.abort();
      this.fail(new AlterError('upstream_protocol_error', { detail: 'the head of the answer cannot be passed on', cause }));
      return;
    }
    this.#status = cleaned.status;
  }

  write(chunk: Buffer): boolean {
    this.#bytesOut += chunk.length;
    this.#services.bodyBytesPassed(chunk.length);
    return this.#client.write(chunk);
  }

  end(trailers?: HeaderList): void {
    if (!this.#finish(undefined, false)) return;
    if (trailers !== undefined) cleanTrailers(trailers, this.exchange);
    this.#client.end(trailers);
  }

  fail(error: AlterError): void {
    if (!this.#finished && this.#client.retract()) {
      this.#status = undefined;
      this.#bytesOut = 0;
    }
    const answered = this.#status !== undefined;
    if (!this.#finish(error, false)) return;
    if (answered) this.#client.cut();
    else this.#client.refuse(error, this.exchange.id, this.exchange.caller);
  }

  get caller(): Caller {
    return this.exchange.caller;
  }

  get clientAddress(): string {
    return this.exchange.peer.address;
  }

  get stillCalls(): () => MaybePromise<Caller> {
    return this.exchange.stillCalls;
  }

  get bodyMemory(): MemoryBudget {
    return this.#services.bodyMemory;
  }

  get bodySpool(): BodySpoolLimits | undefined {
    return this.#services.bodySpool;
  }

  interrupt(error: AlterError): void {
    if (this.#finished) return;
    this.#interrupted = true;
    // It was written into a request that will not leave.
    if (this.#flight === undefined && this.#retries === 0) this.exchange.injected = [];
    this.fail(error);
    this.#flight?.abort();
  }

  received(bytes: number): void {
    this.#bytesIn += bytes;
    this.#services.bodyBytesPassed(bytes);
  }

  /** A token, keys, the store, its own body: whatever a request waits for, it must not outlive its grant, and is looked after from here on. */
  #wait(refused: Promise<AlterError | undefined>): void {
    if (this.place === -1 && !this.#finished) this.#services.underWay.enter(this);
    void refused.then((error) => {
      this.#waited(error);
    });
  }

  /** What was found before a wait may have changed since: judged once more, right before anything leaves. */
  #waited(error: AlterError | undefined): void {
    if (error !== undefined || this.#finished) {
      this.#judged(error);
      return;
    }
    const verdict = this.#services.underWay.judge(this);
    if (verdict instanceof Promise) {
      void verdict.then((later) => {
        this.#judgedAgain(later);
      });
    } else this.#judgedAgain(verdict);
  }

  #judgedAgain(verdict: Verdict): void {
    if (this.#finished) return;
    if (verdict instanceof AlterError) this.interrupt(verdict);
    else if (verdict !== undefined && isOtherSecret(this.exchange.resolved, verdict)) this.#injectAnew(verdict);
    else this.#judged(undefined);
  }

  /** The secret was rotated while the request waited. */
  #injectAnew(resolved: ResolvedGrant): void {
    this.exchange.resolved = resolved;
    this.exchange.injected = [];
    const refused = attempt(() => injectAgain(this.exchange));
    if (refused instanceof Promise) this.#wait(refused);
    else this.#judged(refused);
  }

  #judged(error: AlterError | undefined): void {
    if (this.#finished) {
      // It ended while the stages waited; they may have taken something since.
      this.exchange.release?.();
      return;
    }
    const refused = error ?? this.#admit();
    if (refused !== undefined) {
      this.fail(refused);
      return;
    }
    if (this.place === -1) this.#services.underWay.enter(this);
    this.#send(this.exchange.resolved?.injection.refreshAfter === undefined ? this : this.#secondTry());
  }

  #send(sink: ResponseSink): void {
    const { exchange } = this;
    const { outbound, body } = exchange;
    if (body?.wholeBytes !== undefined && outbound.body === undefined) frame(outbound, { kind: 'length', bytes: body.wholeBytes });
    const leaving = outbound.body === undefined ? body?.leaving() : outbound.body.leaving();
    this.#flight = this.#services.forward(outbound, leaving, isolationOf(exchange), sink);
  }

  /** Stands before this sink where the injection may want a second try. */
  #secondTry(): ResponseSink {
    const { exchange } = this;
    const secondTry: SecondTry = new SecondTry({
      ask: (head) => wantsSecondTry(exchange, head, this.#services.now()),
      over: () => this.#finished,
      again: () => {
        this.#again(secondTry);
      },
      resume: () => this.#flight?.resume(),
      sink: this,
    });
    return secondTry;
  }

  #again(sink: ResponseSink): void {
    const first = this.#flight;
    this.#flight = undefined;
    first?.abort();
    this.#retries += (first?.retries ?? 0) + 1;
    const injected = attempt(() => injectAgain(this.exchange));
    if (injected instanceof Promise) {
      void injected.then((error) => {
        this.#injectedAgain(error, sink);
      });
    } else this.#injectedAgain(injected, sink);
  }

  #injectedAgain(error: AlterError | undefined, sink: ResponseSink): void {
    if (this.#finished) return;
    if (error === undefined) this.#send(sink);
    else this.fail(error);
  }

  /** Use of a credential has a place in the audit trail before the credential leaves. */
  #admit(): AlterError | undefined {
    if (this.exchange.resolved === undefined) return undefined;
    try {
      this.#services.recorder.admit();
      this.#admitted = true;
      return undefined;
    } catch (error) {
      return error instanceof AlterError ? error : new AlterError('audit_unavailable', { cause: error });
    }
  }

  /** What the provider says of its own limits stands: two policies in one field would be read as one list. */
  #addAnswerHeaders(headers: HeaderList): void {
    const { answerHeaders } = this.exchange;
    if (answerHeaders === undefined) return;
    for (let i = 0; i < answerHeaders.length; i += 2) {
      const name = answerHeaders[i] ?? '';
      if (!headers.has(name)) headers.append(name, answerHeaders[i + 1] ?? '');
    }
  }

  #finish(error: AlterError | undefined, aborted: boolean): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    this.exchange.release?.();
    this.exchange.body?.close();
    const { recorder, underWay, redactCallerPath, now, log } = this.#services;
    underWay.leave(this);
    const ending = {
      status: this.#status ?? error?.status,
      error,
      aborted,
      interrupted: this.#interrupted,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      retries: this.#retries + (this.#flight?.retries ?? 0),
    };
    recorder.record(describeExchange(this.exchange, ending, now(), redactCallerPath), this.#admitted);
    if (error !== undefined) logRefusal(log, this.exchange, error);
    return true;
  }
}

/** A defect is an error; every other refusal is for the operator to look at, with its cause, which the client never sees. */
function logRefusal(log: ServeServices['log'], exchange: Exchange, error: AlterError): void {
  const fields = { requestId: exchange.id, code: error.code, rule: error.rule, detail: error.detail, cause: error.cause };
  if (error.code === 'internal_error') log.error(fields, 'the proxy failed on a request');
  else log.warn(fields, 'request refused or failed');
}

function isOtherSecret(known: ResolvedGrant | undefined, now: ResolvedGrant): boolean {
  return known !== undefined && lineageOf(known.secret) !== lineageOf(now.secret);
}

/** Why it did not succeed, if it did not. */
function attempt(call: () => MaybePromise<void>): MaybePromise<AlterError | undefined> {
  try {
    const done = call();
    return done instanceof Promise ? done.then(() => undefined, refusal) : undefined;
  } catch (error) {
    return refusal(error);
  }
}
