import type { Origin } from './authority.ts';
import type { BodyLength } from './body.ts';
import type { HeaderList } from './header-list.ts';
import type { CanonicalUrl } from './url.ts';

/** A request as the edge hands it over: checked framing, canonical URL, every header field as it came. */
export interface InboundRequest {
  readonly protocol: 'http/1.1' | 'http/1.0';
  readonly method: string;
  readonly origin: Origin;
  readonly url: CanonicalUrl;
  readonly headers: HeaderList;
  readonly bodyLength: BodyLength;
  /** The client takes trailers. */
  readonly acceptsTrailers: boolean;
}

/** A request as it leaves. Injection writes into `url` and `headers`; the origin is the one that was checked. */
export interface OutboundRequest {
  readonly method: string;
  readonly origin: Origin;
  url: CanonicalUrl;
  readonly headers: HeaderList;
  bodyLength: BodyLength;
  /** Says that trailers are taken. Not among `headers`: it is for one connection only, and no signature may cover it. */
  readonly acceptsTrailers: boolean;
}
