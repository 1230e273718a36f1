import { AlterError } from '../errors.ts';
import { parseAuthority, sameAuthority } from '../message/authority.ts';
import type { Origin, Scheme } from '../message/authority.ts';
import { hostField } from '../message/host-field.ts';
import type { H1RequestHead } from '../message/h1/request-parser.ts';
import type { InboundRequest } from '../message/request.ts';
import { parseAbsoluteTarget } from '../message/target.ts';
import { canonicalUrl } from '../message/url.ts';
import type { InnerConnection } from './connection.ts';

const DEFAULT_PORT: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

/**
 * The request as the pipeline sees it.
 * @throws AlterError `malformed_request`, `authority_mismatch`.
 */
export function readRequest(head: H1RequestHead, inner: InnerConnection | undefined): InboundRequest {
  const { method, target, host, version, headers, bodyLength, acceptsTrailers } = head;
  const { origin, url } = inner === undefined ? absoluteForm(target) : originForm(target, inner);
  if (host !== undefined && host !== hostField(origin).value) checkHost(host, origin);
  if (inner?.serverNameAgrees === false)
    throw new AlterError('authority_mismatch', { detail: 'the TLS server name is not the host of CONNECT' });
  return { protocol: version === '1.0' ? 'http/1.0' : 'http/1.1', method, origin, url, headers, bodyLength, acceptsTrailers };
}

function absoluteForm(target: string): Pick<InboundRequest, 'origin' | 'url'> {
  if (target.startsWith('/')) {
    throw new AlterError('malformed_request', {
      detail: 'this is a forward proxy: set HTTPS_PROXY and HTTP_PROXY to it instead of calling it',
    });
  }
  return parseAbsoluteTarget(target);
}

function originForm(target: string, inner: InnerConnection): Pick<InboundRequest, 'origin' | 'url'> {
  return { origin: inner.origin, url: canonicalUrl(target) };
}

/** Host names the authority that was asked for (invariant 2). */
function checkHost(host: string, origin: Origin): void {
  if (!sameAuthority(parseAuthority(host, DEFAULT_PORT[origin.scheme]), origin)) {
    throw new AlterError('authority_mismatch', { detail: 'Host is not the authority that was asked for' });
  }
}
