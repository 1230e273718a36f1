import type { BodySink, BodySource } from './body.ts';

/** Pieces of this size, so that a slow receiver is seen to make progress. */
export const PIECE_BYTES = 64 * 1024;

/** A body that lies in memory. */
export class MemoryBody implements BodySource {
  readonly #content: Buffer;
  #sink: BodySink | undefined;
  #at = 0;

  constructor(content: Buffer) {
    this.#content = content;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    while (this.#sink !== undefined && this.#at < this.#content.length) {
      const piece = this.#content.subarray(this.#at, this.#at + PIECE_BYTES);
      this.#at += piece.length;
      if (!this.#sink.write(piece)) return;
    }
    this.#end();
  }

  cancel(): void {
    this.#sink = undefined;
  }

  #end(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end();
  }
}
