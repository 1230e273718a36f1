import type { HeaderList } from '../../message/header-list.ts';

/** AWS takes dates that are a quarter of an hour off; a few minutes more or less are not what it refuses. */
const NOTICEABLE_MS = 4 * 60_000;
/** A clock that is a day off is broken, or the answer is. */
const MAX_OFFSET_MS = 24 * 60 * 60_000;

/** What of an answer tells the time. */
interface DatedAnswer {
  readonly status: number;
  readonly headers: Pick<HeaderList, 'get'>;
}

/** The clock of the provider, as far as it is known: one for a secret, whatever is signed with it. */
export class ProviderClock {
  readonly #now: () => number;
  #offsetMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds since the epoch, by the provider's clock. */
  now(): number {
    return this.#now() + this.#offsetMs;
  }

  /** How far that is ahead of the clock of this machine, in milliseconds. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Milliseconds since the epoch, by the clock of this machine, which is near that of a client. */
  local(): number {
    return this.#now();
  }

  /**
   * Whether a refusal may be one of the date (RequestTimeTooSkewed, SignatureDoesNotMatch, InvalidSignatureException …) and the next signature
   * has a better one than that which was refused, made when the clock was `signedOffsetMs` ahead. The status alone does not say it; the Date
   * of the answer does, unless the answer lay in a cache (RFC 9111 §5.1).
   */
  learn({ status, headers }: DatedAnswer, at: number, signedOffsetMs: number): boolean {
    if ((status !== 400 && status !== 403) || headers.get('age') !== undefined) return false;
    const offset = Date.parse(headers.get('date') ?? '') - at;
    if (Number.isNaN(offset) || Math.abs(offset) > MAX_OFFSET_MS) return false;
    if (Math.abs(offset - this.#offsetMs) > NOTICEABLE_MS) this.#offsetMs = offset;
    return Math.abs(offset - signedOffsetMs) > NOTICEABLE_MS;
  }
}
