const REDACTED = '[redacted]';

let revealText: (secret: Secret) => string;

/**
 * A value that cannot be printed: it redacts itself in string conversion, JSON and `util.inspect`.
 * The text inside is reachable only through {@link reveal}, and the import rules let only `inject/` and `vault/`
 * import this module.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Length of the hidden text in UTF-16 units; safe to show. */
  get length(): number {
    return this.#text.length;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  static {
    revealText = (secret) => secret.#text;
  }
}

/** Returns the text inside `secret`. Whoever calls this answers for where the text goes. */
export function reveal(secret: Secret): string {
  return revealText(secret);
}
