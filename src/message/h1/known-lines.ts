import { fieldName, type FieldName } from '../field-name.ts';

/** Longer heads are not kept. */
const MAX_BYTES = 4096;
const NOTHING = new Uint8Array(0);
/** Stands where the start line is. */
const NO_NAME = fieldName('');

/**
 * The lines of the last head on a connection, start line first, each with its line end. Clients and servers send most of theirs again, octet for
 * octet: to compare a line costs a fraction of reading it, and what was read in it before holds once more.
 */
export class KnownLines {
  /** Copy of the last head. */
  #octets = NOTHING;
  /** Where each line ends in the copy; from the line under way on, those of the head under way replace them. */
  readonly #ends: number[] = [];
  readonly #names: FieldName[] = [];
  readonly #values: string[] = [];
  #known = 0;
  #heads = 0;
  // Of the head under way:
  #from = 0;
  #to = 0;
  #line = 0;
  /** Where its line under way began in the last head. */
  #began = 0;
  #changed = false;

  /** Whether no line is known. */
  get empty(): boolean {
    return this.#known === 0;
  }

  /** Of the field line that {@link next} passed last. */
  get name(): FieldName {
    return this.#names[this.#line - 1] ?? NO_NAME;
  }

  /** Of the field line that {@link next} passed last. */
  get value(): string {
    return this.#values[this.#line - 1] ?? '';
  }

  /** A head begins that lies between `from` and `to`. */
  begin(from: number, to: number): void {
    this.#from = from;
    this.#to = to;
    this.#line = 0;
    this.#began = 0;
    this.#changed = false;
  }

  /** Position after the line at `at` when it is that of the last head; else -1, and it is to be read and told to {@link keep}. */
  next(octets: Uint8Array, at: number): number {
    const line = this.#line;
    if (line >= this.#known) return -1;
    const began = this.#began;
    const ended = this.#ends[line] ?? 0;
    const next = at + ended - began;
    if (next > this.#to) return -1;
    const known = this.#octets;
    for (let i = began, j = at; i < ended; i += 1, j += 1) if (known[i] !== octets[j]) return -1;
    this.#ends[line] = next - this.#from;
    this.#began = ended;
    this.#line = line + 1;
    return next;
  }

  /** A line has been read that ends at `next`; without a name: the start line. */
  keep(next: number, name = NO_NAME, value = ''): void {
    // Many connections carry one request only.
    if (this.#heads === 0) return;
    const line = this.#line;
    this.#changed = true;
    this.#began = this.#ends[line] ?? 0;
    this.#ends[line] = next - this.#from;
    this.#names[line] = name;
    this.#values[line] = value;
    this.#line = line + 1;
  }

  /** The head is complete. */
  end(octets: Buffer): void {
    this.#heads += 1;
    if (this.#changed) this.#copy(octets);
    this.#known = this.#line;
  }

  /** A head came that was not told of. */
  forget(): void {
    this.#known = 0;
  }

  #copy(octets: Buffer): void {
    const size = this.#to - this.#from;
    if (size > MAX_BYTES) {
      this.#line = 0;
      return;
    }
    if (this.#octets.length < size) this.#octets = new Uint8Array(Math.min(MAX_BYTES, size + (size >> 1)));
    octets.copy(this.#octets, 0, this.#from, this.#to);
  }
}
