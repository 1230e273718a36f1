import { STATUS_CODES } from 'node:http';
import { HeaderList } from '../message/header-list.ts';
import { stripResponseHeaders, stripTrailers } from '../message/hop-by-hop.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Exchange } from './exchange.ts';

/** What can tell that a text repeats the credential of the exchange, or what was signed with it. */
type Answered = Pick<Exchange, 'resolved' | 'outbound'>;

/** The head of an answer as the client may see it. Its fields are changed in place. */
export function cleanHead(head: ResponseHead, exchange: Answered): ResponseHead {
  const { status, reason, headers } = head;
  stripResponseHeaders(headers);
  if (exchange.resolved === undefined) return head;
  scrub(headers, exchange);
  const usual = STATUS_CODES[status] ?? '';
  return reason === usual || !repeatsCredential(reason, exchange) ? head : { status, reason: usual, headers };
}

/** Makes the trailers of an answer what the client may see. */
export function cleanTrailers(trailers: HeaderList, exchange: Answered): void {
  stripTrailers(trailers);
  scrub(trailers, exchange);
}

function scrub(headers: HeaderList, { resolved, outbound }: Answered): void {
  resolved?.injection.scrub(headers);
  if (outbound.signatures === undefined) return;
  for (const signature of outbound.signatures) headers.filter((_, value) => !value.includes(signature));
}

/** A reason phrase has the alphabet of a field's value (RFC 9112 §4), and is judged as one. */
function repeatsCredential(reason: string, exchange: Answered): boolean {
  const asField = new HeaderList(['Reason', reason]);
  scrub(asField, exchange);
  return asField.size === 0;
}
