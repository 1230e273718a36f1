import type { FieldName } from '../field-name.ts';
import { HeaderList } from '../header-list.ts';
import { H1Error } from './error.ts';
import { readFieldLine } from './field-line.ts';
import type { H1Limits } from './limits.ts';
import { LineReader } from './line-reader.ts';
import { OctetLines } from './octet-lines.ts';

/** A recipient that merges trailers into the head would find another body length or another host there (RFC 9110 §6.5.1). */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'host']);

/** Reads the fields after the last chunk, up to the empty line (RFC 9112 §7.1.2). */
export class TrailerReader {
  readonly #limits: H1Limits;
  readonly #lines = new LineReader();
  readonly #names: FieldName[] = [];
  readonly #values: string[] = [];
  #bytes = 0;
  complete = false;

  constructor(limits: H1Limits) {
    this.#limits = limits;
  }

  /** The fields; undefined when there are none. */
  get trailers(): HeaderList | undefined {
    return this.#names.length === 0 ? undefined : HeaderList.ofParsed(this.#names, this.#values);
  }

  /** Takes bytes until the section is {@link complete}; returns the index of the first byte not taken. Throws H1Error. */
  read(chunk: Buffer, from: number): number {
    const { maxTrailerBytes, maxLineBytes } = this.#limits;
    let at = from;
    while (at < chunk.length && !this.complete) {
      const line = this.#lines.read(chunk, at, Math.min(maxTrailerBytes - this.#bytes, maxLineBytes), 'trailers_too_long');
      at = this.#lines.next;
      if (line !== undefined) this.#readLine(line);
    }
    return at;
  }

  #readLine(line: string): void {
    this.#bytes += line.length;
    if (line === '\r\n') {
      this.complete = true;
      return;
    }
    readFieldLine(OctetLines.ofLine(line), 0, this.#names, this.#values);
    if (this.#names.length > this.#limits.maxFields) throw new H1Error('trailers_too_long');
    if (FRAMING.has(this.#names.at(-1)?.folded ?? '')) throw new H1Error('framing_in_trailers');
  }
}
