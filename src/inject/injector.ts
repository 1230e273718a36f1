import type { Origin } from '../message/authority.ts';
import type { BodyLength, BodyTransform } from '../message/body.ts';
import type { HeaderList } from '../message/header-list.ts';
import type { CanonicalUrl } from '../message/url.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { ResponseHead } from '../message/response.ts';

export type { PlaceholderPlace } from '../message/placeholder.ts';

/** The request that an injector may write into. */
export interface Draft {
  readonly method: string;
  readonly origin: Origin;
  url: CanonicalUrl;
  readonly headers: HeaderList;
  /** How the length of the body is known as it leaves. Whoever changes the body through {@link DraftBody} has it set. */
  bodyLength: BodyLength;
  /** How far the clock that the request was signed by is ahead of that of this machine, in milliseconds; undefined when none was asked. */
  signedOffsetMs?: number;
  /** The body on its way, for an injection with `readsBody`; undefined when there is none. */
  readonly body?: DraftBody;
  /** Stretches of the signatures that were made for this request, which the head of the answer must not repeat. */
  signatures?: readonly string[];
}

/** The body of a draft. Nothing of it is read until one of these is called. */
export interface DraftBody {
  /**
   * The whole content. It leaves as it was read, with its length known, unless it is replaced. Several rules may ask. Rejects with AlterError:
   * `body_too_large_to_sign` above `maxBytes` (at once where Content-Length says so), and what the client's framing earns.
   */
  read(maxBytes: number): Promise<Buffer>;
  /**
   * The hash of the whole content, in hex, for a rule that needs no more of it. As {@link DraftBody.read} up to `maxBytes`. A larger body is
   * written to a temporary file where the configuration allows it, and can then be neither read nor replaced; else it is refused as there.
   * Rejects also with `body_spool_failed`, when the disk does not take it.
   */
  digest(algorithm: 'sha256', maxBytes: number): Promise<string>;
  /** Sends `content` in its place. After {@link DraftBody.read} only. */
  replace(content: Buffer): void;
  /** Lets the body flow through `transform`, with back-pressure; `length` is what leaves. Not together with `read`. */
  transform(transform: BodyTransform, length: BodyLength): void;
}

/** A function that makes of a URL what the rules of a policy see. */
export type UrlJudgement = (url: CanonicalUrl) => CanonicalUrl;

/** Made once per secret version; applied to each request. */
export interface PreparedInjection {
  /** Names of what is written, for the audit event: `header:authorization`, `query:key`, `cookie:session`, `path`. Never a value. */
  readonly writes: readonly string[];
  /**
   * Removes every spelling of the caller's own value of every injected name, then writes the credential. Throws AlterError when the draft
   * cannot take it.
   */
  apply(draft: Draft): MaybePromise<void>;
  /** True: `apply` wants `draft.body`. */
  readonly readsBody?: boolean;
  /**
   * The provider has answered a request that carried this credential, and nothing of the answer has been passed on. True (or a promise of it):
   * the answer speaks of the credential, a better one is there now, and the same request, injected anew, may succeed. It is asked once an
   * exchange; the request is sent again when its body is not there or was read whole, and its method is idempotent or the refusal
   * {@link PreparedInjection.refusedUnprocessed}. `at`: when the answer came, milliseconds since the epoch. `sent`: the request as `apply` left
   * it. Never throws or rejects; false then.
   */
  readonly refreshAfter?: (head: ResponseHead, at: number, sent: Draft) => MaybePromise<boolean>;
  /** True: where `refreshAfter` answers true, the provider has refused before it did anything, so that every method may be sent again. */
  readonly refusedUnprocessed?: boolean;
  /**
   * The caller's path as it may be recorded: what stands where the credential goes, which may be a credential of the caller's own, is
   * replaced by the form of it, `/bot{bot_token}/getMe`. Undefined when nothing is written into the path.
   */
  readonly redactPath?: (path: string) => string;
  /**
   * The caller's URL as the rules of a policy see it: without the segment of the path and the query parameters where the credential goes, whoever
   * wrote them there, `/getMe`. Undefined when nothing is written into the URL.
   */
  readonly judgedUrl?: UrlJudgement;
  /** Removes from response headers what holds the credential (plain, base64, percent-encoded). */
  scrub(headers: HeaderList): void;
}
