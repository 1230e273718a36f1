import type { HeaderList } from '../../message/header-list.ts';
import { foldUnderscores } from '../../message/syntax.ts';

/** Fields of a client's own signature, as CGI-like servers read their names. */
const OF_SIGNATURE: ReadonlySet<string> = new Set([
  ...['authorization', 'x-amz-date', 'x-amz-security-token', 'x-amz-region-set', 'x-amz-s3session-token'],
]);

/** Takes the client's own signature out of the header. */
export function removeSignature(headers: HeaderList): void {
  headers.filter(({ folded }) => !OF_SIGNATURE.has(folded));
}

/** Takes out X-Amz-Content-Sha256 in every spelling. */
export function removePayloadField(headers: HeaderList): void {
  headers.filter(({ lower }) => foldUnderscores(lower) !== 'x-amz-content-sha256');
}
