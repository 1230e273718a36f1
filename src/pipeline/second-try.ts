import type { AlterError } from '../errors.ts';
import type { PreparedInjection } from '../inject/injector.ts';
import type { HeaderList } from '../message/header-list.ts';
import { isIdempotent } from '../message/idempotent.ts';
import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { ResponseHead } from '../message/response.ts';
import type { ResponseSink } from '../upstream/forward.ts';
import type { Exchange } from './exchange.ts';

/** Who decides on a second try, and what follows. */
export interface SecondTryOptions {
  /** Whether the answer speaks of the credential, and a better one is there. */
  readonly ask: (head: ResponseHead) => MaybePromise<boolean>;
  /** Whether the exchange is over: nothing is passed on any more. */
  readonly over: () => boolean;
  /** Drops the answer and sends the request again. */
  readonly again: () => void;
  /** The answer that was held back goes on. */
  readonly resume: () => void;
  /** The answer that counts goes here. */
  readonly sink: ResponseSink;
}

/** An answer that is held back. */
interface Held {
  readonly head: ResponseHead;
  readonly chunks: Buffer[];
  ending?: (sink: ResponseSink) => void;
}

/**
 * Stands between provider and client where an injection may want a second try: holds the first answer back while it is asked about, then
 * passes it on, or drops it for the answer to the second try. Asks once.
 */
export class SecondTry implements ResponseSink {
  readonly #options: SecondTryOptions;
  #asked = false;
  #held: Held | undefined;

  constructor(options: SecondTryOptions) {
    this.#options = options;
  }

  informational(head: ResponseHead): void {
    this.#options.sink.informational(head);
  }

  head(head: ResponseHead): void {
    const answer = this.#asked ? false : this.#ask(head);
    this.#asked = true;
    if (answer === false) {
      this.#options.sink.head(head);
      return;
    }
    const held: Held = (this.#held = { head, chunks: [] });
    // In a turn of its own also where the answer is known: most answers of this kind are complete by then, and their connection is kept.
    void Promise.resolve(answer).then(
      (again) => {
        this.#settle(held, again);
      },
      () => {
        this.#settle(held, false);
      },
    );
  }

  write(chunk: Buffer): boolean {
    if (this.#held === undefined) return this.#options.sink.write(chunk);
    this.#held.chunks.push(chunk);
    return false;
  }

  end(trailers?: HeaderList): void {
    if (this.#held === undefined) this.#options.sink.end(trailers);
    else
      this.#held.ending = (sink) => {
        sink.end(trailers);
      };
  }

  fail(error: AlterError): void {
    if (this.#held === undefined) this.#options.sink.fail(error);
    else
      this.#held.ending = (sink) => {
        sink.fail(error);
      };
  }

  #ask(head: ResponseHead): MaybePromise<boolean> {
    try {
      return this.#options.ask(head);
    } catch {
      return false;
    }
  }

  #settle(held: Held, again: boolean): void {
    this.#held = undefined;
    if (this.#options.over()) return;
    if (again) this.#options.again();
    else this.#passOn(held);
  }

  #passOn({ head, chunks, ending }: Held): void {
    const { sink, over, resume } = this.#options;
    sink.head(head);
    let takes = true;
    for (const chunk of chunks) {
      if (over()) return;
      takes = sink.write(chunk);
    }
    if (over()) return;
    if (ending !== undefined) ending(sink);
    else if (takes) resume();
  }
}

/**
 * Whether the request of an exchange is to be sent a second time after `head` came at `at`. The injection is asked also about a request that
 * cannot be sent again, so that the next one is better.
 */
export function wantsSecondTry(exchange: Exchange, head: ResponseHead, at: number): MaybePromise<boolean> {
  const injection = exchange.resolved?.injection;
  if (injection?.refreshAfter === undefined) return false;
  return chain(injection.refreshAfter(head, at, exchange.outbound), (better) => better && canSendAgain(exchange, injection));
}

function canSendAgain({ request, body }: Exchange, { refusedUnprocessed }: PreparedInjection): boolean {
  return (refusedUnprocessed === true || isIdempotent(request.method)) && (body === undefined || body.wholeBytes !== undefined);
}
