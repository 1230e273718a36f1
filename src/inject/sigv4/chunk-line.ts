import { malformed } from '../../message/malformed.ts';
import { SIGNATURE_WIDTH } from './chunk-signature.ts';

/** The line before the data of a chunk, without its signature. */
export interface ChunkLine {
  readonly size: number;
  /** The size as the client wrote it: the line that leaves must be as long as the one that came. */
  readonly digits: string;
}

const EXTENSION = ';chunk-signature=';
/** Eight digits hold every size that is signed, with zeros in front of it, and cannot overflow. */
const MAX_DIGITS = 8;
const SIGNATURES: Readonly<Record<number, string>> = {
  [SIGNATURE_WIDTH.hmac]: '[0-9A-Fa-f]{64}',
  [SIGNATURE_WIDTH.ecdsa]: '(?=.{144}\\r\\n$)[0-9A-Fa-f]+\\**',
};

/** Pattern of a signature of this many characters at the end of a line. */
export function signaturePattern(width: number): string {
  const pattern = SIGNATURES[width];
  if (pattern === undefined) throw new RangeError(`no signature has ${width} characters`);
  return pattern;
}

/** Reads the lines before the chunks of a body whose signatures have this many characters. */
export class ChunkLines {
  /** Bytes of the longest line, with its CRLF. */
  readonly maxBytes: number;
  readonly #pattern: RegExp;

  constructor(signatureWidth: number) {
    this.maxBytes = MAX_DIGITS + EXTENSION.length + signatureWidth + 2;
    this.#pattern = new RegExp(`^([0-9A-Fa-f]{1,${MAX_DIGITS}})${EXTENSION}${signaturePattern(signatureWidth)}\\r\\n$`);
  }

  /**
   * Reads `line`, given with its LF. The signature is one that the client made without the credential: only its form is looked at.
   * @throws AlterError `malformed_request` for anything but a size and exactly one signature.
   */
  read(line: string): ChunkLine {
    const digits = this.#pattern.exec(line)?.[1];
    if (digits === undefined) throw malformed('A chunk of the signed body does not begin with its size and chunk-signature.');
    return { digits, size: Number.parseInt(digits, 16) };
  }

  /** The line that leaves. */
  write(digits: string, signature: string): string {
    return `${digits}${EXTENSION}${signature}\r\n`;
  }
}
