import { fieldName, type FieldName } from './field-name.ts';
import { isFieldValue } from './syntax.ts';

/**
 * A list of header fields that keeps order, spelling and duplicates (RFC 9110 §5.3).
 * Flat storage: name, value, name, value …, values in latin1 as they stood on the wire. Whatever is in a list can be sent as it is: a
 * field that would be read as something else never gets in.
 */
export class HeaderList {
  #flat: string[];

  /**
   * Takes ownership of `flat` (name, value, name, value …).
   * @throws Error for a name that is no token, or a value with a character that no field can carry.
   */
  constructor(flat: string[] = []) {
    for (let i = 0; i < flat.length; i += 2) checkField(flat[i] ?? '', flat[i + 1] ?? '');
    this.#flat = flat;
  }

  /** A list of fields that a parser has read, octet by octet, and so need not be looked at again. Takes ownership of `flat`. */
  static ofParsed(flat: string[]): HeaderList {
    const list = new HeaderList();
    list.#flat = flat;
    return list;
  }

  /** Number of fields. */
  get size(): number {
    return this.#flat.length / 2;
  }

  /** A copy that can be changed on its own. */
  clone(): HeaderList {
    return HeaderList.ofParsed(this.#flat.slice());
  }

  /** The flat list itself: name, value, name, value … Callers must not change it. */
  flat(): readonly string[] {
    return this.#flat;
  }

  /** First value of `name` (any case), or undefined. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (let i = 0; i < this.#flat.length; i += 2) if (sameName(this.#flat[i] ?? '', wanted)) return this.#flat[i + 1];
    return undefined;
  }

  /** All values of `name` (any case), in order. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    const found: string[] = [];
    for (let i = 0; i < this.#flat.length; i += 2) {
      if (sameName(this.#flat[i] ?? '', wanted)) found.push(this.#flat[i + 1] ?? '');
    }
    return found;
  }

  /** Whether `name` (any case) is present. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds a field at the end. @throws Error when it cannot be sent. */
  append(name: string, value: string): void {
    checkField(name, value);
    this.#flat.push(name, value);
  }

  /** Removes every spelling of `name` and adds one field at the end. */
  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  /** Removes every spelling of `name`; returns how many fields went. */
  delete(name: string): number {
    const wanted = name.toLowerCase();
    return this.filter((name) => name.lower !== wanted);
  }

  /** Keeps the fields for which `keep` is true; returns how many went. */
  filter(keep: (name: FieldName, value: string) => boolean): number {
    const flat = this.#flat;
    let to = 0;
    for (let from = 0; from < flat.length; from += 2) {
      const name = flat[from] ?? '';
      const value = flat[from + 1] ?? '';
      if (keep(fieldName(name), value)) {
        flat[to] = name;
        flat[to + 1] = value;
        to += 2;
      }
    }
    const removed = (flat.length - to) / 2;
    flat.length = to;
    return removed;
  }

  /** Fields as pairs, in order, names as spelled. */
  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#flat.length; i += 2) yield [this.#flat[i] ?? '', this.#flat[i + 1] ?? ''];
  }
}

function sameName(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || fieldName(name).lower === lower);
}

/** Nothing of the field is quoted: it may hold a credential. */
function checkField(name: string, value: string): void {
  if (!fieldName(name).isToken) throw new Error('the field cannot be sent: its name is not a token');
  if (!isFieldValue(value)) throw new Error('the field cannot be sent: its value holds a control character');
}
