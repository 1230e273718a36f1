/**
 * Whole lines of a head: as octets, which are looked at one by one, because to ask a string for its characters costs several times as much. Names and
 * values are cut out of one string where many are wanted, because to make a string for each costs more as well. Positions are those of the octets.
 */
export class OctetLines {
  readonly octets: Buffer;
  readonly #text: string | undefined;
  readonly #from: number;

  /** Lines of which few are wanted as text. The last octet of lines is an LF. With `text`: that of all of them, which begin at `from`. */
  constructor(octets: Buffer, text?: string, from = 0) {
    this.octets = octets;
    this.#text = text;
    this.#from = from;
  }

  /** The octets from `from` to `to`. */
  static ofHead(octets: Buffer, from: number, to: number): OctetLines {
    return new OctetLines(octets, octets.toString('latin1', from, to), from);
  }

  /** One line that was put together from pieces, with its LF; one character an octet. */
  static ofLine(line: string): OctetLines {
    return new OctetLines(Buffer.from(line, 'latin1'), line);
  }

  /** The octet at `at`; there must be one. */
  at(at: number): number {
    return this.octets[at] ?? 0;
  }

  /** One character an octet. */
  slice(from: number, to: number): string {
    return this.#text === undefined ? this.octets.toString('latin1', from, to) : this.#text.slice(from - this.#from, to - this.#from);
  }
}
