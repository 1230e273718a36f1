/** A value, or a promise of it: the hot path awaits only where it must. */
export type MaybePromise<T> = T | Promise<T>;

/** Calls `next` with the value of `value`, at once when it is not a promise. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/**
 * What `of` gives for each item, in order; without a promise when none of them is one. One that throws counts as one that rejects, so that
 * no promise of the items before it is left with a rejection of which nobody hears.
 */
export function all<I, T>(items: readonly I[], of: (item: I) => MaybePromise<T>): MaybePromise<readonly T[]> {
  const values = items.map((item) => orRejection(of, item));
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[]);
}

function orRejection<I, T>(of: (item: I) => MaybePromise<T>, item: I): MaybePromise<T> {
  try {
    return of(item);
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
