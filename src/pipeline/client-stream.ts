import type { AlterError } from '../errors.ts';
import type { BodySource } from '../message/body.ts';
import type { HeaderList } from '../message/header-list.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Caller } from '../principals/caller.ts';

/** What a client stream tells about the client. */
export interface ClientEvents {
  /** The client takes bytes again after `write` answered false. */
  drain(): void;
  /** The client left before the answer was complete. */
  gone(): void;
}

/** The client's side of one exchange, whatever the protocol. The edge implements it. */
export interface ClientStream {
  /** Body of the request, if it has one. */
  readonly body: BodySource | undefined;
  /** Says who hears of the client: at once, when it has left already. Called once, before anything else. */
  listen(events: ClientEvents): void;
  /** Passes on a 1xx response. */
  informational(head: ResponseHead): void;
  head(head: ResponseHead): void;
  /** Takes a chunk of the answer; false means: pause until `drain`. */
  write(chunk: Buffer): boolean;
  end(trailers?: HeaderList): void;
  /** The proxy's own answer, instead of a provider's. `caller` is who asked, if that is known. */
  refuse(error: AlterError, requestId: string, caller?: Caller): void;
  /** Takes back an answer of which nothing has left yet, so that it may be refused; false when that is too late. */
  retract(): boolean;
  /** The answer broke off after its head: the client must see that it is incomplete. */
  cut(): void;
}
