/** How much of a message may be held before it makes sense. All sizes in bytes, line ends included. */
export interface H1Limits {
  /** Start line and all field lines. */
  readonly maxHeadBytes: number;
  /** One line of a head or of a trailer section. */
  readonly maxLineBytes: number;
  /** Fields of a head or of a trailer section. */
  readonly maxFields: number;
  /** One line with a chunk's size and extensions. */
  readonly maxChunkLineBytes: number;
  /** Extensions of all chunks of one body: they are dropped, so sending many is only work for the reader. */
  readonly maxExtensionBytes: number;
  /** The whole trailer section. */
  readonly maxTrailerBytes: number;
  /** Informational responses before one final response. */
  readonly maxInformational: number;
}

export const DEFAULT_H1_LIMITS: H1Limits = Object.freeze({
  maxHeadBytes: 65_536,
  maxLineBytes: 32_768,
  maxFields: 256,
  maxChunkLineBytes: 1_024,
  maxExtensionBytes: 16_384,
  maxTrailerBytes: 16_384,
  maxInformational: 100,
});
