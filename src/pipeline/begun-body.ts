import type { BodySink, BodySource } from '../message/body.ts';
import type { HeaderList } from '../message/header-list.ts';
import { PIECE_BYTES } from '../message/memory-body.ts';

/** A body whose beginning is here already: gives that, and then what follows, whose source was started and waits to be resumed. */
export class BegunBody implements BodySource, BodySink {
  readonly #rest: Pick<BodySource, 'resume' | 'cancel'>;
  readonly #pieces: Buffer[] = [];
  #sink: BodySink | undefined;
  #ending: ((sink: BodySink) => void) | undefined;

  constructor(rest: Pick<BodySource, 'resume' | 'cancel'>, beginning: readonly Buffer[]) {
    this.#rest = rest;
    for (const part of beginning) {
      for (let at = 0; at < part.length; at += PIECE_BYTES) this.#pieces.push(part.subarray(at, at + PIECE_BYTES));
    }
  }

  /** More of it, in its turn: a source that is to pause may have some chunks at hand. */
  write(chunk: Buffer): boolean {
    if (this.#sink !== undefined && this.#pieces.length === 0) return this.#sink.write(chunk);
    this.#pieces.push(chunk);
    return false;
  }

  end(trailers?: HeaderList): void {
    this.#end((sink) => {
      sink.end(trailers);
    });
  }

  abort(cause: Error): void {
    this.#pieces.length = 0;
    this.#end((sink) => {
      sink.abort(cause);
    });
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) {
      if (this.#sink?.write(piece) === false) return;
    }
    if (this.#ending !== undefined) this.#end(this.#ending);
    else if (this.#sink !== undefined) this.#rest.resume();
  }

  cancel(cause: Error): void {
    this.#pieces.length = 0;
    this.#sink = undefined;
    this.#rest.cancel(cause);
  }

  /** Now, or when what comes before has left. */
  #end(ending: (sink: BodySink) => void): void {
    this.#ending = ending;
    const sink = this.#sink;
    if (sink === undefined || this.#pieces.length > 0) return;
    this.#sink = undefined;
    ending(sink);
  }
}
