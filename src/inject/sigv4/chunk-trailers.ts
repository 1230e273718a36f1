import { createHash } from 'node:crypto';
import { malformed } from '../../message/malformed.ts';
import { isToken } from '../../message/syntax.ts';
import { signaturePattern } from './chunk-line.ts';
import type { SignatureChain } from './chunk-signature.ts';

/** Bytes of all the trailing headers. A checksum has less than a hundred. */
const MAX_BYTES = 4 * 1024;
/** A value with white space inside has more than one canonical form, and no checksum has any. minio-go writes LF before the CRLF. */
const FIELD = /^([^:]+):[ \t]*([!-~]+)[ \t]*\n?\r\n$/;
const SIGNATURE_NAME = 'x-amz-trailer-signature';

/** The headers behind the last chunk of a body, as far as they have come: at least one, their signature, an empty line. */
export class TrailerSection {
  readonly #signatureLine: RegExp;
  readonly #values = new Map<string, string>();
  #text = '';
  /** A line that ended in LF without CR. Nothing but a CRLF may follow. */
  #unended = '';
  /** The line of the signature up to the signature, once it has come. */
  #signatureStart: string | undefined;

  constructor(signatureWidth: number) {
    this.#signatureLine = new RegExp(`^(${SIGNATURE_NAME}:[ \\t]*)${signaturePattern(signatureWidth)}\\r\\n$`, 'i');
  }

  /** Bytes that the next line may have. */
  get room(): number {
    return MAX_BYTES - this.#text.length - this.#unended.length;
  }

  /** Takes what stands up to the next LF, and it; true: that was the last line. @throws AlterError `malformed_request`. */
  take(part: string): boolean {
    if (this.#unended === '' && !part.endsWith('\r\n')) {
      this.#unended = part;
      return false;
    }
    const line = this.#unended + part;
    this.#unended = '';
    if (this.#signatureStart !== undefined) {
      if (line !== '\r\n') throw malformed('Behind the signature of the trailing headers of the signed body something follows.');
      return true;
    }
    this.#signatureStart = this.#signatureLine.exec(line)?.[1];
    if (this.#signatureStart === undefined) this.#addField(line);
    else if (this.#values.size === 0) throw malformed('The signed body announces trailing headers and has none.');
    return false;
  }

  /** What leaves in place of the section, with the signature of `chain`. */
  sign(chain: SignatureChain): string {
    const sorted = [...this.#values].sort(([one], [other]) => (one < other ? -1 : 1));
    const canonical = sorted.map(([name, value]) => `${name}:${value}\n`).join('');
    const signature = chain.trailers(createHash('sha256').update(canonical, 'latin1').digest('hex'));
    return `${this.#text}${this.#signatureStart ?? ''}${signature}\r\n\r\n`;
  }

  #addField(line: string): void {
    const [, name = '', value = ''] = FIELD.exec(line) ?? [];
    const lower = name.toLowerCase();
    if (!isToken(lower) || lower === SIGNATURE_NAME) throw malformed('A trailing header of the signed body is malformed.');
    if (this.#values.has(lower)) throw malformed('A trailing header of the signed body stands there twice.');
    this.#values.set(lower, value);
    this.#text += line;
  }
}
