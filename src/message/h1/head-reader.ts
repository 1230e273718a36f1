import { H1Error } from './error.ts';
import { HeadFields } from './head-fields.ts';
import { KnownLines } from './known-lines.ts';
import type { H1Limits } from './limits.ts';
import { LineReader } from './line-reader.ts';
import { OctetLines } from './octet-lines.ts';
import { CR, LF } from './octets.ts';
import type { StartLine } from './start-line.ts';

const EMPTY_LINE = Buffer.from('\r\n\r\n', 'latin1');

/**
 * Reads heads: start line, field lines, empty line. A head that lies in one chunk is read where it lies; one that arrives in pieces is
 * read line by line as the lines become complete. Both ways call the same functions in the same order, so they refuse alike.
 */
export class HeadReader {
  readonly #startLine: StartLine;
  readonly #limits: H1Limits;
  readonly #lines = new LineReader();
  readonly #known = new KnownLines();
  readonly #skipsEmptyLine: boolean;
  /** Bytes of this head in lines that are complete. */
  #bytes = 0;
  #phase: 'before' | 'empty-line' | 'start-line' | 'fields' = 'before';
  #emptyLineSeen = false;
  fields: HeadFields;
  complete = false;

  /** `skipsEmptyLine`: one empty line before the start line is ignored. */
  constructor(startLine: StartLine, limits: H1Limits, skipsEmptyLine: boolean) {
    this.#startLine = startLine;
    this.#limits = limits;
    this.#skipsEmptyLine = skipsEmptyLine;
    this.fields = new HeadFields(limits.maxFields);
  }

  /** Whether no byte of a head has come yet. */
  get idle(): boolean {
    return this.#phase === 'before';
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.#phase = 'before';
    this.#emptyLineSeen = false;
    this.#bytes = 0;
    this.complete = false;
    this.fields = new HeadFields(this.#limits.maxFields);
  }

  /** Takes bytes of `chunk` until the head is {@link complete}; returns the index of the first byte not taken. Throws H1Error. */
  read(chunk: Buffer, from: number): number {
    const at = this.#phase === 'before' || this.#phase === 'empty-line' ? this.#begin(chunk, from) : from;
    if (this.#phase === 'start-line' && this.#bytes === 0 && !this.#lines.pending) {
      const end = this.#readWhole(chunk, at);
      if (end !== -1) return end;
    }
    return this.#readLines(chunk, at);
  }

  /** RFC 9112 §2.2: a server ignores at least one empty line before a request line; here exactly one, and none before a response. */
  #begin(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const octet = chunk[at] ?? 0;
      if (this.#phase === 'empty-line') {
        if (octet !== LF) throw new H1Error('bare_cr');
        this.#phase = 'before';
      } else if (octet === CR && this.#skipsEmptyLine && !this.#emptyLineSeen) {
        this.#emptyLineSeen = true;
        this.#phase = 'empty-line';
      } else {
        if (!this.#startLine.mayBeginWith(octet)) throw new H1Error(octet === LF ? 'bare_lf' : this.#startLine.badLine);
        this.#phase = 'start-line';
        return at;
      }
      at += 1;
    }
    return at;
  }

  /** Reads a head that lies in `chunk` as a whole and is under every limit; -1 when it does not. */
  #readWhole(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(EMPTY_LINE, from);
    const { maxHeadBytes, maxLineBytes } = this.#limits;
    if (end === -1 || end + 4 - from > Math.min(maxHeadBytes, maxLineBytes)) return -1;
    const known = this.#known;
    const lines = known.empty ? OctetLines.ofHead(chunk, from, end + 2) : new OctetLines(chunk);
    known.begin(from, end + 2);
    let at = known.next(chunk, from);
    // When it is known, what was read last still stands in it.
    if (at === -1) known.keep((at = this.#startLine.read(lines, from)));
    while (at < end + 2) at = this.fields.readOrKnow(lines, at, known);
    known.end(chunk);
    this.complete = true;
    return end + 4;
  }

  #readLines(chunk: Buffer, from: number): number {
    let at = from;
    this.#known.forget();
    while (at < chunk.length && !this.complete) {
      const room = this.#limits.maxHeadBytes - this.#bytes;
      const isLast = room < this.#limits.maxLineBytes;
      const line = this.#lines.read(chunk, at, isLast ? room : this.#limits.maxLineBytes, isLast ? 'head_too_long' : 'line_too_long');
      at = this.#lines.next;
      if (line !== undefined) this.#readLine(line);
    }
    return at;
  }

  #readLine(line: string): void {
    this.#bytes += line.length;
    if (this.#phase === 'start-line') {
      this.#startLine.read(OctetLines.ofLine(line), 0);
      this.#phase = 'fields';
    } else if (line === '\r\n') {
      this.complete = true;
    } else {
      this.fields.read(OctetLines.ofLine(line), 0);
    }
  }
}
