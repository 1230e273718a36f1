import type { HeaderList } from './header-list.ts';

/** Receives the bytes of one body. */
export interface BodySink {
  /** Takes a chunk; false means: pause the source until it is resumed. */
  write(chunk: Buffer): boolean;
  /** The body is complete. */
  end(trailers?: HeaderList): void;
  /** The body ends before its time. */
  abort(cause: Error): void;
}

/** Gives the bytes of one body, once. */
export interface BodySource {
  /** Starts the flow into `sink`. May be called once. */
  start(sink: BodySink): void;
  /** The sink that answered false to `write` takes bytes again. */
  resume(): void;
  /** Nobody wants the rest. */
  cancel(cause: Error): void;
}

/** Changes a body while it flows. What it throws ends the exchange; AlterError names why. */
export interface BodyTransform {
  /** What leaves for `chunk`: any number of pieces, possibly the very chunk. */
  write(chunk: Buffer): readonly Buffer[];
  /** The body has ended: what leaves last, and the trailers. */
  end(trailers: HeaderList | undefined): { readonly pieces: readonly Buffer[]; readonly trailers: HeaderList | undefined };
}

/** How the length of a body is known. */
export type BodyLength = { readonly kind: 'none' } | { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };
