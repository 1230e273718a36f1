import type { HeaderList } from '../header-list.ts';
import { plainChunkLineLength, plainChunkSize, readChunkLine } from './chunk-line.ts';
import { H1Error } from './error.ts';
import type { H1Limits } from './limits.ts';
import { LineReader } from './line-reader.ts';
import { CR, LF } from './octets.ts';
import { TrailerReader } from './trailer-reader.ts';

/** Reads a chunked body (RFC 9112 §7.1). Extensions are checked, counted and dropped. */
export class ChunkedReader {
  readonly #limits: H1Limits;
  readonly #data: (chunk: Buffer) => void;
  #lines: LineReader | undefined;
  #trailers: TrailerReader | undefined;
  #phase: 'size' | 'data' | 'cr' | 'lf' | 'trailers' = 'size';
  /** Bytes of the current chunk that are still to come. */
  #left = 0;
  #extensionBytes = 0;

  constructor(limits: H1Limits, data: (chunk: Buffer) => void) {
    this.#limits = limits;
    this.#data = data;
  }

  get complete(): boolean {
    return this.#trailers?.complete === true;
  }

  get trailers(): HeaderList | undefined {
    return this.#trailers?.trailers;
  }

  /** Takes bytes until the body is {@link complete}; returns the index of the first byte not taken. Throws H1Error. */
  read(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && !this.complete) at = this.#step(chunk, at);
    return at;
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#phase) {
      case 'size':
        return this.#readSize(chunk, at);
      case 'data':
        return this.#readData(chunk, at);
      case 'cr':
        if (chunk[at] !== CR) throw new H1Error(chunk[at] === LF ? 'bare_lf' : 'bad_chunk_end');
        this.#phase = 'lf';
        return at + 1;
      case 'lf':
        if (chunk[at] !== LF) throw new H1Error('bare_cr');
        this.#phase = 'size';
        return at + 1;
      case 'trailers':
        return this.#trailers?.read(chunk, at) ?? at;
    }
  }

  #readSize(chunk: Buffer, from: number): number {
    const lines = this.#lines;
    if (lines?.pending !== true) {
      const size = plainChunkSize(chunk, from);
      const length = size === -1 ? 0 : plainChunkLineLength(chunk, from);
      if (length > 0 && length <= this.#limits.maxChunkLineBytes) {
        this.#begin(size);
        return from + length;
      }
    }
    return this.#readSizeLine(chunk, from, lines ?? (this.#lines = new LineReader()));
  }

  #readSizeLine(chunk: Buffer, from: number, lines: LineReader): number {
    const line = lines.read(chunk, from, this.#limits.maxChunkLineBytes, 'chunk_line_too_long');
    if (line !== undefined) {
      const { size, extensionBytes } = readChunkLine(line);
      this.#extensionBytes += extensionBytes;
      if (this.#extensionBytes > this.#limits.maxExtensionBytes) throw new H1Error('chunk_extensions_too_long');
      this.#begin(size);
    }
    return lines.next;
  }

  #begin(size: number): void {
    this.#left = size;
    this.#phase = size === 0 ? 'trailers' : 'data';
    if (size === 0) this.#trailers = new TrailerReader(this.#limits);
  }

  #readData(chunk: Buffer, from: number): number {
    const end = Math.min(chunk.length, from + this.#left);
    this.#left -= end - from;
    if (this.#left === 0) this.#phase = 'cr';
    this.#data(chunk.subarray(from, end));
    return end;
  }
}
