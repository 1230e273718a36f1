/** The one form of a URL that policy reads and the wire carries. */
export interface CanonicalUrl {
  /** Starts with `/`; no dot segments; percent-encoding normalised. */
  readonly path: string;
  /** Without the `?`; undefined when there is none, '' for a bare `?`. */
  readonly query: string | undefined;
}
