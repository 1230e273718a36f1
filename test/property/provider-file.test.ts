import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { CommandError } from '../../src/errors.ts';
import { parseProvider } from '../../src/providers/parse.ts';

const DIR = new URL('../../../config/providers/', import.meta.url);
const files = readdirSync(DIR)
  .slice(0, 8)
  .map((name) => readFileSync(new URL(name, DIR), 'utf8'));

test('a damaged provider file is read, or refused with one line that names its place', (t) => {
  const damage = fc.tuple(
    fc.constantFrom(...files),
    fc.nat(),
    fc.nat(6),
    fc.string({ unit: fc.constantFrom(...'{}[]:-\'"&*!|>%#\n\t a1'.split('')), maxLength: 4 }),
  );
  fc.assert(
    fc.property(damage, ([text, at, length, insert]) => {
      const start = at % text.length;
      try {
        return parseProvider(text.slice(0, start) + insert + text.slice(start + length), 'p.yaml').slug !== '';
      } catch (error) {
        return (
          error instanceof CommandError && error.code === 'config_invalid' && /^p\.yaml:\d+:\d+(?: [^\n]+)?: [^\n]+$/.test(error.message)
        );
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});
