import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Draft, PreparedInjection } from './injector.ts';

/** One rule of a provider with its credential filled in. Lives inside the closures of a PreparedInjection, never outside. */
export interface PreparedRule {
  /**
   * `header:<lower-case name>`, `query:<name>`, `cookie:<name>`, `body:<name>` or `path`; several for a rule that writes several, or one of
   * several; undefined: a default that holds no credential.
   */
  readonly place: string | readonly string[] | undefined;
  /** Removes the caller's own value and writes the prepared one. */
  readonly apply: (draft: Draft) => MaybePromise<void>;
  /** See {@link PreparedInjection.readsBody}. */
  readonly readsBody?: boolean;
  /** See {@link PreparedInjection.refreshAfter}. */
  readonly refreshAfter?: PreparedInjection['refreshAfter'];
  /** See {@link PreparedInjection.refusedUnprocessed}. */
  readonly refusedUnprocessed?: boolean;
  /** For a rule that writes into the path: the caller's path with the form of the credential in place of what stands there. */
  readonly redactPath?: (path: string) => string;
  /** Texts that hold the credential as it leaves; a response header that repeats one is removed. */
  readonly sensitive: readonly string[];
}
