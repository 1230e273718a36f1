import test from 'ava';
import { parseUuid } from '../../../src/message/uuid.ts';

const ID = '0b8f5a2e-6c1d-4f3a-9b7e-2d4c6e8f0a1b';

test('a UUID in any case comes out in lower case', (t) => {
  t.is(parseUuid(ID), ID);
  t.is(parseUuid(ID.toUpperCase()), ID);
});

test('one that was asked for again is the same, and is not taken for another', (t) => {
  const other = ID.replace('0', '1');
  for (const text of [ID, ID, other, ID.toUpperCase(), other, `${ID.slice(0, 35)}g`, ID]) {
    t.is(parseUuid(text), text.endsWith('g') ? undefined : text.toLowerCase());
  }
});

for (const near of [
  '',
  ID.slice(1),
  `${ID}0`,
  ` ${ID}`,
  `${ID}\n`,
  `{${ID}}`,
  `urn:uuid:${ID}`,
  ID.replaceAll('-', ''),
  ID.replace('0', 'g'),
  ID.replace('-', '0'),
]) {
  test(`${JSON.stringify(near)} is no UUID`, (t) => {
    t.is(parseUuid(near), undefined);
  });
}
