/** Contract: no part of an answer's head, nor its trailers, repeats a signature that was made for the request. */
import test from 'ava';
import { HeaderList } from '../../../src/message/header-list.ts';
import { cleanHead, cleanTrailers } from '../../../src/pipeline/clean-answer.ts';
import type { Exchange } from '../../../src/pipeline/exchange.ts';
import type { ResolvedGrant } from '../../../src/vault/resolved.ts';
import { lines } from '../../support/headers.ts';
import { draft, injection } from '../../support/injection.ts';

const SIGNATURE = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';

/** An exchange whose request was signed. */
function signed(): Pick<Exchange, 'resolved' | 'outbound'> {
  const { method, origin, url, headers, bodyLength } = draft('/');
  const resolved = { injection: injection([{ kind: 'bearer', format: '{b}' }], { b: 'bearer-token' }) } as ResolvedGrant;
  return {
    outbound: { method, origin, url, headers, bodyLength, acceptsTrailers: false, signatures: [SIGNATURE] },
    resolved,
  };
}

test('fields, reason phrase and trailers that repeat a signature do not get through; all others do', (t) => {
  const fields = (): HeaderList =>
    new HeaderList(['Location', `/next?sig=${SIGNATURE}&x=1`, 'X-Kept', SIGNATURE.slice(1), 'X-Token', 'bearer-token']);
  const head = cleanHead({ status: 307, reason: `See ${SIGNATURE}`, headers: fields() }, signed());
  t.is(head.reason, 'Temporary Redirect');
  t.deepEqual(lines(head.headers), [`X-Kept: ${SIGNATURE.slice(1)}`]);
  const trailers = fields();
  cleanTrailers(trailers, signed());
  t.deepEqual(lines(trailers), [`X-Kept: ${SIGNATURE.slice(1)}`]);
});
