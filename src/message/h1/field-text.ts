import type { FieldName } from '../field-name.ts';
import type { HeaderList } from '../header-list.ts';

/**
 * Writes the field lines of one message after another on the same connection. Most messages begin with the lines of the one before them; the text of
 * those is kept from the fourth message on and used again: to join it anew costs several times as much as to see that it is the same.
 */
export class FieldText {
  /** Of the last message. */
  readonly #names: FieldName[] = [];
  readonly #values: string[] = [];
  #count = 0;
  #messages = 0;
  /** So many lines it had in common with the one before it, and their text, once that was asked for twice. */
  #shared = 0;
  #text: string | undefined;

  /** `first`, the line of each field, `last`. In one go: a string that grows by pieces is a tree of them. */
  join(first: string, { names, values }: HeaderList, last: string): string {
    this.#messages += 1;
    // Many connections carry one message only.
    if (this.#messages === 1) return joinLines(first, names, values, 0, names.length, last);
    const same = this.#sameAsLast(names, values);
    this.#remember(same, names, values);
    if (same !== this.#shared) {
      this.#shared = same;
      this.#text = undefined;
    } else if (same > 0) {
      this.#text ??= joinLines('', names, values, 0, same, '');
      return joinLines(first + this.#text, names, values, same, names.length, last);
    }
    return joinLines(first, names, values, 0, names.length, last);
  }

  /** How many lines from the first on are those of the last message. */
  #sameAsLast(names: readonly FieldName[], values: readonly string[]): number {
    const end = Math.min(this.#count, names.length);
    let at = 0;
    while (at < end && names[at] === this.#names[at] && values[at] === this.#values[at]) at += 1;
    return at;
  }

  #remember(from: number, names: readonly FieldName[], values: readonly string[]): void {
    for (let i = from; i < names.length; i += 1) {
      const name = names[i];
      const value = values[i];
      if (name === undefined || value === undefined) continue;
      this.#names[i] = name;
      this.#values[i] = value;
    }
    this.#count = names.length;
  }
}

/** `first`, the lines from `from` to `to`, `last`. */
export function joinLines(
  first: string,
  names: readonly FieldName[],
  values: readonly string[],
  from: number,
  to: number,
  last: string,
): string {
  const parts = [first];
  for (let i = from; i < to; i += 1) parts.push(names[i]?.prefix ?? '', values[i] ?? '', '\r\n');
  parts.push(last);
  return parts.join('');
}
