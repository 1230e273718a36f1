import { createHash, randomUUID } from 'node:crypto';
import { formatTarget } from '../message/url.ts';
import { isVariable } from '../providers/hmac-rule.ts';
import type { Draft } from './injector.ts';

/** A piece of a format: constant text, with the fields of the credential filled in, or the name of a variable of the request. */
export type Piece = { readonly text: string } | { readonly variable: string };

/** The pieces of `format`; `fill` renders what holds no variable. What a field holds is never read as a variable. */
export function parseTemplate(format: string, fill: (fields: string) => string): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const { 0: reference, 1: name = '', index } of format.matchAll(/\{([a-z0-9_]+)\}/g)) {
    if (!isVariable(name)) continue;
    if (index > from) pieces.push({ text: fill(format.slice(from, index)) });
    pieces.push({ variable: name });
    from = index + reference.length;
  }
  if (from < format.length) pieces.push({ text: fill(format.slice(from)) });
  return pieces;
}

/** Whether the variable is among the pieces. */
export function holds(pieces: readonly Piece[], variable: string): boolean {
  return pieces.some((piece) => 'variable' in piece && piece.variable === variable);
}

/** The parts of a text that may hold octets of the request. */
export function render(pieces: readonly Piece[], octetsOf: (name: string) => Buffer): (string | Buffer)[] {
  return pieces.map((piece) => ('text' in piece ? piece.text : octetsOf(piece.variable)));
}

/** A text without the body. */
export function renderText(pieces: readonly Piece[], valueOf: (name: string) => string): string {
  return pieces.map((piece) => ('text' in piece ? piece.text : valueOf(piece.variable))).join('');
}

/** A request at the moment of its signing: whatever is asked for, and how often, it is one moment. */
export class Moment {
  readonly #draft: Draft;
  readonly #content: Buffer;
  readonly #now = Date.now();
  #nonce: string | undefined;
  #uuid: string | undefined;

  constructor(draft: Draft, content: Buffer) {
    this.#draft = draft;
    this.#content = content;
  }

  /** The octets of a variable as they leave. */
  octets(name: string): Buffer {
    return name === 'body' ? this.#content : Buffer.from(this.text(name), 'latin1');
  }

  /** The value of a variable that is text, one character an octet. */
  text(name: string): string {
    const { method, url, headers } = this.#draft;
    switch (name) {
      case 'method':
        return method;
      case 'host':
        return headers.get('host') ?? '';
      case 'path':
        return url.path;
      case 'query':
        return url.query ?? '';
      case 'path_and_query':
        return formatTarget(url);
      case 'content_type':
        return headers.get('content-type') ?? '';
      case 'timestamp':
        return String(Math.floor(this.#now / 1000));
      case 'timestamp_ms':
        return String(this.#now);
      case 'timestamp_iso':
        return new Date(this.#now).toISOString();
      case 'nonce':
        return (this.#nonce ??= nextNonce(this.#now));
      case 'uuid':
        return (this.#uuid ??= randomUUID());
      case 'body_sha256':
        return this.#hash('sha256');
      case 'body_sha512':
        return this.#hash('sha512');
      case 'body_md5':
        return this.#hash('md5');
      default:
        throw new Error('a rule that signs has a variable that this version does not know');
    }
  }

  #hash(algorithm: string): string {
    return createHash(algorithm).update(this.#content).digest('hex');
  }
}

let lastNonce = 0;

/** Microseconds since the epoch, and always more than the one before. */
function nextNonce(now: number): string {
  lastNonce = Math.max(lastNonce + 1, now * 1000);
  return String(lastNonce);
}
