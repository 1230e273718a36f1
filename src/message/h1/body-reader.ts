import type { BodyLength } from '../body.ts';
import type { HeaderList } from '../header-list.ts';
import { ChunkedReader } from './chunked-reader.ts';
import type { H1Limits } from './limits.ts';

/** How the length of a response body is known: also by the end of the connection. */
export type ResponseBodyLength = BodyLength | { readonly kind: 'close' };

/** Reads the body of one message after another; passes its bytes as views into the input. */
export class BodyReader {
  readonly #limits: H1Limits;
  readonly #data: (chunk: Buffer) => void;
  #left = 0;
  #chunked: ChunkedReader | undefined;
  complete = true;

  constructor(limits: H1Limits, data: (chunk: Buffer) => void) {
    this.#limits = limits;
    this.#data = data;
  }

  get trailers(): HeaderList | undefined {
    return this.#chunked?.trailers;
  }

  /** Whether the end of the connection ends this body (RFC 9112 §6.3, last rule). */
  get endsWithConnection(): boolean {
    return this.#left === Number.POSITIVE_INFINITY;
  }

  /** Makes ready for a body. */
  begin(length: ResponseBodyLength): void {
    this.#chunked = length.kind === 'chunked' ? new ChunkedReader(this.#limits, this.#data) : undefined;
    this.#left = bytesToCome(length);
    this.complete = length.kind !== 'chunked' && this.#left === 0;
  }

  /** Takes bytes until the body is {@link complete}; returns the index of the first byte not taken. Throws H1Error. */
  read(chunk: Buffer, from: number): number {
    if (this.complete || from === chunk.length) return from;
    if (this.#chunked !== undefined) {
      const end = this.#chunked.read(chunk, from);
      this.complete = this.#chunked.complete;
      return end;
    }
    const end = Math.min(chunk.length, from + this.#left);
    this.#left -= end - from;
    this.complete = this.#left === 0;
    this.#data(from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end));
    return end;
  }
}

function bytesToCome(length: ResponseBodyLength): number {
  switch (length.kind) {
    case 'none':
    case 'chunked':
      return 0;
    case 'length':
      return length.bytes;
    case 'close':
      return Number.POSITIVE_INFINITY;
  }
}
