import type { HeaderList } from '../message/header-list.ts';
import type { CanonicalUrl } from '../message/url.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';

export type { PlaceholderPlace } from '../message/placeholder.ts';

/** The request that an injector may write into. */
export interface Draft {
  readonly method: string;
  url: CanonicalUrl;
  readonly headers: HeaderList;
}

/** Made once per secret version; applied to each request. */
export interface PreparedInjection {
  /** Names of what is written, for the audit event: `header:authorization`, `query:key`, `cookie:session`, `path`. Never a value. */
  readonly writes: readonly string[];
  /**
   * Removes every spelling of the caller's own value of every injected name, then writes the credential. Throws AlterError when the draft
   * cannot take it.
   */
  apply(draft: Draft): MaybePromise<void>;
  /**
   * The caller's path as it may be recorded: what stands where the credential goes, which may be a credential of the caller's own, is
   * replaced by the form of it, `/bot{bot_token}/getMe`. Undefined when nothing is written into the path.
   */
  readonly redactPath?: (path: string) => string;
  /** Removes from response headers what holds the credential (plain, base64, percent-encoded). */
  scrub(headers: HeaderList): void;
}
