import { describeExchange } from './describe.ts';
import type { Recorder } from '../audit/recorder.ts';
import { AlterError } from '../errors.ts';
import type { BodySink, BodySource } from '../message/body.ts';
import { fieldName } from '../message/field-name.ts';
import type { HeaderList } from '../message/header-list.ts';
import { stripResponseHeaders, stripTrailers } from '../message/hop-by-hop.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Caller } from '../principals/caller.ts';
import type { Flight, Forward, ResponseSink } from '../upstream/forward.ts';
import { KEY_DEPRECATED } from '../principals/caller.ts';
import type { ClientStream } from './client-stream.ts';
import type { Exchange } from './exchange.ts';
import { isolationOf } from './isolation.ts';
import { runStages } from './run.ts';
import type { Stage } from './stage.ts';
import type { Use } from './standing.ts';
import type { UnderWay } from './under-way.ts';

/** What serving an exchange needs. */
export interface ServeServices {
  readonly stages: readonly Stage[];
  readonly forward: Forward;
  readonly recorder: Recorder;
  readonly underWay: Pick<UnderWay, 'enter' | 'leave'>;
  readonly now: () => number;
  /** Is told of bytes of bodies, in either direction. */
  readonly bodyBytesPassed: (bytes: number) => void;
  readonly log: { error(fields: object, message: string): void; warn(fields: object, message: string): void };
}

const REQUEST_ID = fieldName('X-Alter-Request-Id');

/** Takes one exchange from its request to its audit event. */
export type Serve = (exchange: Exchange, client: ClientStream) => void;

/** Makes the function that serves exchanges. */
export function createServe(services: ServeServices): Serve {
  return (exchange, client) => {
    new Serving(services, exchange, client).start();
  };
}

/** One exchange under way. Whatever happens, {@link Serving.#finish} runs exactly once. */
class Serving implements ResponseSink, Use {
  readonly #services: ServeServices;
  readonly exchange: Exchange;
  readonly #client: ClientStream;
  #flight: Flight | undefined;
  #status: number | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  #admitted = false;
  #interrupted = false;
  #finished = false;
  /** Among what is under way. */
  place = -1;

  constructor(services: ServeServices, exchange: Exchange, client: ClientStream) {
    this.#services = services;
    this.exchange = exchange;
    this.#client = client;
  }

  start(): void {
    this.#client.listen({
      drain: () => {
        this.#flight?.resume();
      },
      gone: () => {
        this.#gone();
      },
    });
    const refused = runStages(this.#services.stages, this.exchange);
    if (refused instanceof Promise) {
      void refused.then((error) => {
        this.#judged(error);
      });
    } else this.#judged(refused);
  }

  informational(head: ResponseHead): void {
    if (!this.#finished) this.#client.informational(this.#cleaned(head));
  }

  head(head: ResponseHead): void {
    const cleaned = this.#cleaned(head);
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
    if (trailers !== undefined) this.#cleanTrailers(trailers);
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

  interrupt(error: AlterError): void {
    if (this.#finished) return;
    this.#interrupted = true;
    this.fail(error);
    this.#flight?.abort();
  }

  #judged(error: AlterError | undefined): void {
    if (this.#finished) {
      // The client left while the stages waited for the store; they may have taken something since.
      this.exchange.release?.();
      return;
    }
    const refused = error ?? this.#admit();
    if (refused !== undefined) {
      this.fail(refused);
      return;
    }
    const body = this.#client.body;
    const counted =
      body === undefined
        ? undefined
        : countedBody(body, (bytes) => {
            this.#bytesIn += bytes;
            this.#services.bodyBytesPassed(bytes);
          });
    this.#services.underWay.enter(this);
    this.#flight = this.#services.forward(this.exchange.outbound, counted, isolationOf(this.exchange), this);
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

  #gone(): void {
    if (!this.#finish(undefined, true)) return;
    this.#flight?.abort();
  }

  /** What the provider says of its own limits stands: two policies in one field would be read as one list. */
  #addAnswerHeaders(headers: HeaderList): void {
    const { answerHeaders = [] } = this.exchange;
    for (let i = 0; i < answerHeaders.length; i += 2) {
      const name = answerHeaders[i] ?? '';
      if (!headers.has(name)) headers.append(name, answerHeaders[i + 1] ?? '');
    }
  }

  #cleaned(head: ResponseHead): ResponseHead {
    stripResponseHeaders(head.headers);
    this.exchange.resolved?.injection.scrub(head.headers);
    return head;
  }

  #cleanTrailers(trailers: HeaderList): void {
    stripTrailers(trailers);
    this.exchange.resolved?.injection.scrub(trailers);
  }

  #finish(error: AlterError | undefined, aborted: boolean): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    this.exchange.release?.();
    const { recorder, underWay, now, log } = this.#services;
    underWay.leave(this);
    const ending = {
      status: this.#status ?? error?.status,
      error,
      aborted,
      interrupted: this.#interrupted,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      retries: this.#flight?.retries ?? 0,
    };
    recorder.record(describeExchange(this.exchange, ending, now()), this.#admitted);
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

function countedBody(source: BodySource, count: (bytes: number) => void): BodySource {
  return {
    start(sink: BodySink) {
      source.start({
        write(chunk) {
          count(chunk.length);
          return sink.write(chunk);
        },
        end: (trailers) => {
          sink.end(trailers);
        },
        abort: (cause) => {
          sink.abort(cause);
        },
      });
    },
    resume: () => {
      source.resume();
    },
    cancel: (cause) => {
      source.cancel(cause);
    },
  };
}
