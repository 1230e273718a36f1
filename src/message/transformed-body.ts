import { AlterError } from '../errors.ts';
import type { BodyLength, BodySink, BodySource, BodyTransform } from './body.ts';
import type { HeaderList } from './header-list.ts';

/**
 * A body as it leaves a transform, piece by piece, with the back-pressure of the sink. What the transform throws ends the body before its
 * time; so does a transform that does not keep to the length it announced.
 */
export class TransformedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #transform: BodyTransform;
  /** Bytes that are still to leave; undefined: any number. */
  #left: number | undefined;
  #sink: BodySink | undefined;

  constructor(source: BodySource, transform: BodyTransform, length: BodyLength) {
    this.#source = source;
    this.#transform = transform;
    this.#left = length.kind === 'chunked' ? undefined : length.kind === 'length' ? length.bytes : 0;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(cause: Error): void {
    this.#sink = undefined;
    this.#source.cancel(cause);
  }

  write(chunk: Buffer): boolean {
    const pieces = this.#attempt(() => this.#transform.write(chunk));
    return pieces === undefined || this.#pass(pieces);
  }

  end(trailers?: HeaderList): void {
    const last = this.#attempt(() => this.#transform.end(trailers));
    if (last === undefined) return;
    this.#pass(last.pieces);
    if (this.#left !== undefined && this.#left > 0) this.#break(new AlterError('internal_error', { cause: WRONG_LENGTH }));
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end(last.trailers);
  }

  abort(cause: Error): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.abort(cause);
  }

  #attempt<T>(call: () => T): T | undefined {
    if (this.#sink === undefined) return undefined;
    try {
      return call();
    } catch (cause) {
      this.#break(cause instanceof AlterError ? cause : new AlterError('internal_error', { cause }));
      return undefined;
    }
  }

  #pass(pieces: readonly Buffer[]): boolean {
    let takes = true;
    for (const piece of pieces) {
      if (this.#left !== undefined) this.#left -= piece.length;
      if (this.#left !== undefined && this.#left < 0) this.#break(new AlterError('internal_error', { cause: WRONG_LENGTH }));
      if (this.#sink === undefined) return true;
      takes = this.#sink.write(piece);
    }
    return takes;
  }

  /** The receiver hears of it first: it tells the client why, before the rest of the client's body is dropped. */
  #break(error: AlterError): void {
    this.abort(error);
    this.#source.cancel(error);
  }
}

const WRONG_LENGTH = new Error('a transform of a body did not keep to the length it announced');
