/** Contract: an id is a UUID of version 4 (RFC 9562 §5.4) in lower case; all its other bits are random, and none comes twice. */
import test from 'ava';
import { newRequestId } from '../../../src/message/request-id.ts';
import { parseUuid } from '../../../src/message/uuid.ts';

const COUNT = 100_000;
const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const ids = Array.from({ length: COUNT }, newRequestId);

test('each id is a UUID of version 4 and of the variant of RFC 9562', (t) => {
  t.deepEqual(
    ids.filter((id) => !VERSION_4.test(id)),
    [],
  );
  t.is(parseUuid(ids[0] ?? ''), ids[0]);
});

test('none comes twice', (t) => {
  t.is(new Set(ids).size, COUNT);
});

test('of the 128 bits all but the six of version and variant are set as often as not', (t) => {
  const set = new Array<number>(128).fill(0);
  for (const id of ids) {
    const octets = Buffer.from(id.replaceAll('-', ''), 'hex');
    for (let bit = 0; bit < 128; bit++) if (((octets[bit >> 3] ?? 0) << (bit & 7)) & 0x80) set[bit] = (set[bit] ?? 0) + 1;
  }
  const fixed = new Map([...[0, 1, 0, 0].map((one, at) => [48 + at, one] as const), [64, 1], [65, 0]]);
  // Ten standard deviations of a fair coin: about one run in 10^21 fails by chance.
  const most = 10 * Math.sqrt(COUNT / 4);
  for (const [bit, count] of set.entries()) {
    const one = fixed.get(bit);
    if (one === undefined) t.true(Math.abs(count - COUNT / 2) < most, `bit ${String(bit)}: ${String(count)}`);
    else t.is(count, one * COUNT, `bit ${String(bit)}`);
  }
});
