/** A member of a record is missing or has the wrong form. Says which, never what it holds. */
export class ShapeError extends Error {
  readonly member: string;

  constructor(member: string) {
    super(`${member} is missing or wrong`);
    this.name = 'ShapeError';
    this.member = member;
  }
}

/** An object of unknown members. */
export type Members = Readonly<Record<string, unknown>>;

/** `value` as an object; throws {@link ShapeError}. */
export function membersOf(value: unknown, member: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ShapeError(member);
  return value as Members;
}

/** The text at `member`, which must pass `accepts`. */
export function textAt(from: Members, member: string, accepts: (text: string) => boolean = () => true): string {
  const value = ownValue(from, member);
  if (typeof value !== 'string' || !accepts(value)) throw new ShapeError(member);
  return value;
}

/** The word at `member`, one of `words`. */
export function wordAt<const T extends string>(from: Members, member: string, words: readonly T[]): T {
  const value = ownValue(from, member);
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new ShapeError(member);
  return word;
}

/** A member that says yes by being there. */
export function trueAt(from: Members, member: string): true {
  if (ownValue(from, member) !== true) throw new ShapeError(member);
  return true;
}

/** The whole number at `member`, `least` or more. */
export function wholeNumberAt(from: Members, member: string, least = 0): number {
  const value = ownValue(from, member);
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw new ShapeError(member);
  return value;
}

/** The whole number at `member`, or undefined when it is absent. */
export function optionalWholeNumberAt(from: Members, member: string): number | undefined {
  return ownValue(from, member) === undefined ? undefined : wholeNumberAt(from, member);
}

/** The list at `member`, each item read by `read`. */
export function listAt<T>(from: Members, member: string, read: (item: unknown, itemName: string) => T): readonly T[] {
  const value = ownValue(from, member);
  if (!Array.isArray(value)) throw new ShapeError(member);
  return value.map((item: unknown, index) => read(item, `${member}[${String(index)}]`));
}

/** The object at `member` as a map: each name must pass `acceptsName`, each value is read by `read`. */
export function mapAt<T>(
  from: Members,
  member: string,
  acceptsName: (name: string) => boolean,
  read: (value: unknown, name: string) => T,
): Readonly<Record<string, T>> {
  const entries = Object.entries(membersOf(ownValue(from, member), member));
  if (!entries.every(([name]) => acceptsName(name))) throw new ShapeError(member);
  return Object.fromEntries(entries.map(([name, value]) => [name, read(value, `${member}.${name}`)]));
}

/** `value` as a text that passes `accepts`. */
export function text(value: unknown, name: string, accepts: (candidate: string) => boolean = () => true): string {
  if (typeof value !== 'string' || !accepts(value)) throw new ShapeError(name);
  return value;
}

/** Freezes `value` and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

/** What `from` itself holds at `member`; undefined when that is nothing. */
export function ownValue(from: Members, member: string): unknown {
  return Object.hasOwn(from, member) ? from[member] : undefined;
}
