import test from 'ava';
import { matchSlot } from '../../../src/inject/slot.ts';
import { injection } from '../../support/injection.ts';

const prepared = injection(
  [
    { kind: 'bearer', format: '{a}' },
    { kind: 'query', name: 'key', format: '{a}' },
    { kind: 'default_header', name: 'version', value: '1' },
  ],
  { a: 'A' },
);
const at = (...places: string[]): boolean =>
  matchSlot(
    prepared,
    places.map((place) => ({ grantId: '0b8f5a2e-6c1d-4f3a-9b7e-2d4c6e8f0a1b', place })),
  );

test('placeholders stand where the injection writes', (t) => {
  t.true(at());
  t.true(at('header:authorization'));
  t.true(at('query:key', 'header:authorization'));
});

test('a placeholder anywhere else is not replaced', (t) => {
  for (const place of ['path', 'header:x-api-key', 'query:Key', 'query:authorization', 'header:key', 'header:version']) {
    t.false(at(place), place);
    t.false(at('header:authorization', place), place);
  }
});
