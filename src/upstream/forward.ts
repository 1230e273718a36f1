import type { BodySource } from '../message/body.ts';
import type { HeaderList } from '../message/header-list.ts';
import type { OutboundRequest } from '../message/request.ts';
import type { ResponseHead } from '../message/response.ts';
import type { AlterError } from '../errors.ts';

/** Receives a response. Exactly one of `end` and `fail` ends it. */
export interface ResponseSink {
  /** A 1xx response other than 101. */
  informational(head: ResponseHead): void;
  head(head: ResponseHead): void;
  /** Takes a chunk of the body; false means: pause until {@link Flight.resume}. */
  write(chunk: Buffer): boolean;
  /** The response is complete. */
  end(trailers?: HeaderList): void;
  /** No response, or no more of it: `upstream_*` or `destination_blocked`. */
  fail(error: AlterError): void;
}

/** A request under way. */
export interface Flight {
  /** How often the request was sent again. */
  readonly retries: number;
  /** The sink that answered false to `write` takes bytes again. */
  resume(): void;
  /** The client is gone, or the grant is: stop. The sink hears nothing more. */
  abort(): void;
}

/** Sends a request and streams the answer into `sink`. `isolation` keeps pooled connections of different principals apart. */
export type Forward = (request: OutboundRequest, body: BodySource | undefined, isolation: string, sink: ResponseSink) => Flight;
