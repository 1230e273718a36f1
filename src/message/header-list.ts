import { fieldName, type FieldName } from './field-name.ts';
import { isFieldValue } from './syntax.ts';

/** A field that was found fit to be sent, so that it can be added to many messages. */
export interface PreparedField {
  readonly name: FieldName;
  readonly value: string;
}

/**
 * A field that can be added to messages.
 * @throws Error when it cannot be sent; nothing of the field is quoted: it may hold a credential.
 */
export function prepareField(name: string, value: string): PreparedField {
  const described = fieldName(name);
  if (!described.isToken) throw new Error('the field cannot be sent: its name is not a token');
  if (!isFieldValue(value)) throw new Error('the field cannot be sent: its value holds a control character');
  return { name: described, value };
}

const NO_FIELDS: readonly string[] = [];

/**
 * A list of header fields that keeps order, spelling and duplicates (RFC 9110 §5.3). Values are latin1, as they stood on the wire. Whatever is
 * in a list can be sent as it is: a field that would be read as something else never gets in.
 */
export class HeaderList {
  readonly #names: FieldName[];
  readonly #values: string[];

  /**
   * Of name, value, name, value … The other two are for {@link HeaderList.ofParsed}.
   * @throws Error for a name that is no token, or a value with a character that no field can carry.
   */
  constructor(flat: readonly string[] = NO_FIELDS, names: FieldName[] = [], values: string[] = []) {
    this.#names = names;
    this.#values = values;
    for (let i = 0; i < flat.length; i += 2) this.append(flat[i] ?? '', flat[i + 1] ?? '');
  }

  /** A list of fields that a parser has read, octet by octet, and so need not be looked at again. Takes ownership of both. */
  static ofParsed(names: FieldName[], values: string[]): HeaderList {
    return new HeaderList(NO_FIELDS, names, values);
  }

  /** Number of fields. */
  get size(): number {
    return this.#names.length;
  }

  /** The names in order. Callers must not change the list. */
  get names(): readonly FieldName[] {
    return this.#names;
  }

  /** The values in order. Callers must not change the list. */
  get values(): readonly string[] {
    return this.#values;
  }

  /** Name, value, name, value … as spelled. */
  flat(): string[] {
    return this.#names.flatMap(({ spelling }, i) => [spelling, this.#values[i] ?? '']);
  }

  /** A list of those fields for which `keep` is true. */
  kept(keep: (name: FieldName, value: string) => boolean): HeaderList {
    // Most fields stay: one copy of the right size costs less than lists that grow.
    const list = HeaderList.ofParsed(this.#names.slice(), this.#values.slice());
    list.filter(keep);
    return list;
  }

  /** First value of `name` (any case), or undefined. */
  get(name: string): string | undefined {
    const { lower } = fieldName(name);
    for (let i = 0; i < this.#names.length; i += 1) if (this.#names[i]?.lower === lower) return this.#values[i];
    return undefined;
  }

  /** All values of `name` (any case), in order. */
  getAll(name: string): string[] {
    const { lower } = fieldName(name);
    return this.#values.filter((_, i) => this.#names[i]?.lower === lower);
  }

  /** Whether `name` (any case) is present. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds a field at the end. @throws Error when it cannot be sent. */
  append(name: string, value: string): void {
    this.add(prepareField(name, value));
  }

  /** Adds a field at the end. */
  add({ name, value }: PreparedField): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  /** Removes every spelling of `name` and adds one field at the end. @throws Error when it cannot be sent. */
  set(name: string, value: string): void {
    const field = prepareField(name, value);
    this.delete(name);
    this.add(field);
  }

  /** Removes every spelling of `name`; returns how many fields went. */
  delete(name: string): number {
    const { lower } = fieldName(name);
    return this.filter((name) => name.lower !== lower);
  }

  /** Keeps the fields for which `keep` is true; returns how many went. */
  filter(keep: (name: FieldName, value: string) => boolean): number {
    const names = this.#names;
    const values = this.#values;
    let to = 0;
    for (let from = 0; from < names.length; from += 1) {
      const name = names[from];
      const value = values[from];
      if (name === undefined || value === undefined || !keep(name, value)) continue;
      if (to !== from) {
        names[to] = name;
        values[to] = value;
      }
      to += 1;
    }
    const removed = names.length - to;
    // To set a length costs a call out of compiled code; most lists lose one field or none.
    for (let i = 0; i < removed; i += 1) {
      names.pop();
      values.pop();
    }
    return removed;
  }

  /** Fields as pairs, in order, names as spelled. */
  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#names.length; i += 1) yield [this.#names[i]?.spelling ?? '', this.#values[i] ?? ''];
  }
}
