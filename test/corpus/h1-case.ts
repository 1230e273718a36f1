import type { Ending } from '../support/h1-reading.ts';

/** The reading that one message must have; what is left out is empty. */
export interface ExpectedReading {
  readonly start: string;
  readonly body?: string;
  /** Name, value, name, value … */
  readonly trailers?: readonly string[];
}

/** Bytes of one connection, and how they must be read. */
export interface H1Case {
  readonly name: string;
  /** One character an octet. */
  readonly bytes: string;
  /** The messages that are complete before the end. */
  readonly reads: readonly ExpectedReading[];
  readonly ends: Ending;
  /** The codec reads it, and the proxy as a whole refuses it: what is wrong lies above the syntax of messages. */
  readonly proxy?: 'refuses';
}
