import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Draft } from './injector.ts';

/** One rule of a provider with its credential filled in. Lives inside the closures of a PreparedInjection, never outside. */
export interface PreparedRule {
  /** `header:<lower-case name>` or `query:<name>`; undefined: a default that holds no credential. */
  readonly place: string | undefined;
  /** Removes the caller's own value and writes the prepared one. */
  readonly apply: (draft: Draft) => MaybePromise<void>;
  /** Texts that hold the credential as it leaves; a response header that repeats one is removed. */
  readonly sensitive: readonly string[];
}
