import type { BodyLength } from '../body.ts';
import { addConnectionOptions } from '../connection.ts';
import { HeaderList } from '../header-list.ts';
import type { FieldName } from '../field-name.ts';
import { foldUnderscores, isToken, trimSpaces } from '../syntax.ts';
import { H1Error } from './error.ts';
import { readFieldLine } from './field-line.ts';
import type { KnownLines } from './known-lines.ts';
import type { OctetLines } from './octet-lines.ts';

/** Version of a message: others are refused. */
export type H1Version = '1.1' | '1.0';

const NO_BODY: BodyLength = Object.freeze({ kind: 'none' });
const CHUNKED: BodyLength = Object.freeze({ kind: 'chunked' });

/** The fields of one head as they arrive, and what they say about framing, routing and the connection. */
export class HeadFields {
  readonly #names: FieldName[] = [];
  readonly #values: string[] = [];
  readonly #maxFields: number;
  #contentLength = -1;
  #chunked = false;
  #options: Set<string> | undefined;
  #upgrade: string | undefined;
  /** First value of Host. */
  host: string | undefined;
  hosts = 0;
  /** The values of Expect. */
  expect: string | undefined;
  /** TE holds `trailers`. */
  acceptsTrailers = false;
  /** Connection holds `close`, `keep-alive`. */
  close = false;
  keepAlive = false;

  constructor(maxFields: number) {
    this.#maxFields = maxFields;
  }

  /** Reads the field line at `start`; returns the position after it. Throws H1Error. */
  read(lines: OctetLines, start: number): number {
    const next = readFieldLine(lines, start, this.#names, this.#values);
    const last = this.#names.length - 1;
    this.#added(this.#names[last], this.#values[last] ?? '');
    return next;
  }

  /** The same; a line that stood in the last head is not read again, any other is kept for the next one. */
  readOrKnow(lines: OctetLines, start: number, known: KnownLines): number {
    const next = known.next(lines.octets, start);
    if (next === -1) {
      const read = this.read(lines, start);
      const last = this.#names.length - 1;
      known.keep(read, this.#names[last], this.#values[last]);
      return read;
    }
    const { name, value } = known;
    this.#names.push(name);
    this.#values.push(value);
    this.#added(name, value);
    return next;
  }

  #added(name: FieldName | undefined, value: string): void {
    if (this.#names.length > this.#maxFields) throw new H1Error('too_many_fields');
    const framing = name?.framing;
    if (framing !== undefined) this.#note(framing, value);
  }

  /** The fields, once they are complete: this object must not be read into any more. */
  get list(): HeaderList {
    return HeaderList.ofParsed(this.#names, this.#values);
  }

  /** Whether the head announces a body that is not empty. */
  get announcesBody(): boolean {
    return this.#chunked || this.#contentLength > 0;
  }

  /** RFC 9110 §7.8: Upgrade counts only when Connection names it. */
  get upgrade(): string | undefined {
    return this.#options?.has('upgrade') === true ? this.#upgrade : undefined;
  }

  /**
   * RFC 9112 §6.3 without its room for repair. Undefined: the fields say nothing.
   * @throws H1Error when they contradict each other or the version.
   */
  bodyLength(version: H1Version): BodyLength | undefined {
    this.#checkOptions();
    if (this.#chunked) {
      if (version === '1.0') throw new H1Error('te_in_http10');
      if (this.#contentLength !== -1) throw new H1Error('cl_with_te');
      return CHUNKED;
    }
    return this.#contentLength === -1 ? undefined : { kind: 'length', bytes: this.#contentLength };
  }

  #note(framing: NonNullable<FieldName['framing']>, value: string): void {
    switch (framing) {
      case 'host':
        this.#noteHost(value);
        return;
      case 'expect':
        this.expect = joined(this.expect, value);
        return;
      case 'upgrade':
        this.#upgrade = joined(this.#upgrade, value);
        return;
      case 'connection':
        this.#noteConnection(value);
        return;
      case 'te':
        this.acceptsTrailers ||= value.split(',').some((coding) => trimSpaces(coding).toLowerCase() === 'trailers');
        return;
      case 'content-length':
        this.#noteContentLength(value);
        return;
      case 'transfer-encoding':
        this.#noteTransferEncoding(value);
        return;
      case 'underscored':
        // Servers that turn names into variables would take such a field for the one that counts.
        throw new H1Error('underscored_framing');
    }
  }

  #noteHost(value: string): void {
    this.hosts += 1;
    this.host ??= value;
  }

  #noteContentLength(value: string): void {
    // RFC 9110 §8.6 lets a recipient take equal repeated values for one; whoever repeats them may count on the next one not doing so.
    if (this.#contentLength !== -1) throw new H1Error('repeated_content_length');
    // A number with leading zeros is octal to some.
    const bytes = /^(?:0|[1-9][0-9]*)$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(bytes)) throw new H1Error('bad_content_length');
    this.#contentLength = bytes;
  }

  #noteTransferEncoding(value: string): void {
    if (this.#chunked || value.length !== 7 || value.toLowerCase() !== 'chunked') throw new H1Error('bad_transfer_encoding');
    this.#chunked = true;
  }

  #noteConnection(value: string): void {
    if (value === 'keep-alive') this.keepAlive = true;
    else if (value === 'close') this.close = true;
    else addConnectionOptions(value, (this.#options ??= new Set()));
  }

  #checkOptions(): void {
    const options = this.#options;
    if (options === undefined) return;
    for (const option of options) {
      if (!isToken(option)) throw new H1Error('bad_connection');
      const name = foldUnderscores(option);
      if (name === 'host' || name === 'content-length' || name === 'transfer-encoding') throw new H1Error('connection_names_framing');
    }
    this.close ||= options.has('close');
    this.keepAlive ||= options.has('keep-alive');
  }
}

/** The body of a message whose fields say nothing, where that means none. */
export function noBody(): BodyLength {
  return NO_BODY;
}

/** RFC 9110 §5.3. */
function joined(values: string | undefined, value: string): string {
  return values === undefined ? value : `${values}, ${value}`;
}
