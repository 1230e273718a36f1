/** A value, or a promise of it: the hot path awaits only where it must. */
export type MaybePromise<T> = T | Promise<T>;

/** Calls `next` with the value of `value`, at once when it is not a promise. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
