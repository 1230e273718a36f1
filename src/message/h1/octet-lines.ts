/**
 * Whole lines of a head: as octets, which are looked at one by one, and as one string, out of which names and values are cut. To ask a string
 * for its characters costs several times as much, and to make a string for each value as well. Positions are those of the octets.
 */
export class OctetLines {
  readonly octets: Buffer;
  readonly #text: string;
  readonly #from: number;

  /** The octets from `from` to `to`, of which the last one is an LF. */
  constructor(octets: Buffer, from: number, to: number) {
    this.octets = octets;
    this.#text = octets.toString('latin1', from, to);
    this.#from = from;
  }

  /** One line that was put together from pieces, with its LF; one character an octet. */
  static ofLine(line: string): OctetLines {
    return new OctetLines(Buffer.from(line, 'latin1'), 0, line.length);
  }

  /** The octet at `at`; there must be one. */
  at(at: number): number {
    return this.octets[at] ?? 0;
  }

  /** One character an octet. */
  slice(from: number, to: number): string {
    return this.#text.slice(from - this.#from, to - this.#from);
  }
}
