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

/** How the length of a body is known. */
export type BodyLength = { readonly kind: 'none' } | { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };
