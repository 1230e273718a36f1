/** A value, or a promise of it: the hot path awaits only where it must. */
export type MaybePromise<T> = T | Promise<T>;

/** Calls `next` with the value of `value`, at once when it is not a promise. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** The values in order, without a promise when none of them is one. */
export function all<T>(values: readonly MaybePromise<T>[]): MaybePromise<readonly T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[]);
}
