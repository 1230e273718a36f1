import test from 'ava';
import fc from 'fast-check';
import { AlterError } from '../../src/errors.ts';
import { HeaderList } from '../../src/message/header-list.ts';
import { checkRequestHead } from '../../src/message/request-head.ts';

const field = fc.tuple(
  fc.constantFrom(
    'Host',
    'host',
    'Content-Length',
    'content_length',
    'Transfer-Encoding',
    'TRANSFER-ENCODING',
    'Connection',
    'Accept',
    'a b',
    '',
  ),
  fc.oneof(
    fc.constantFrom('a', '1', '01', '1,1', 'chunked', 'Chunked', 'gzip', 'gzip, chunked', 'host', 'close', ''),
    fc.string({ unit: 'binary', maxLength: 6 }),
  ),
);

/** The values of a field as any server might count them. */
function valuesOf(fields: readonly (readonly [string, string])[], name: string): string[] {
  return fields.filter(([own]) => own.toLowerCase().replaceAll('_', '-') === name).map(([, value]) => value);
}

test('a head that passes has one host, one framing and no control characters', (t) => {
  let passed = 0;
  fc.assert(
    fc.property(fc.array(field, { maxLength: 5 }), fc.constantFrom('1.0', '1.1', '2.0'), (others, httpVersion) => {
      const fields = [['Host', 'a'] as const, ...others];
      try {
        const { bodyLength, host } = checkRequestHead({ httpVersion, method: 'POST', headers: new HeaderList(fields.flat()) });
        passed += 1;
        const lengths = valuesOf(fields, 'content-length');
        const codings = valuesOf(fields, 'transfer-encoding');
        return (
          valuesOf(fields, 'host').length === 1 &&
          host === 'a' &&
          lengths.length + codings.length <= 1 &&
          (bodyLength.kind === 'length') === (lengths.length === 1) &&
          (bodyLength.kind === 'chunked') === (codings.length === 1) &&
          (codings.length === 0 || httpVersion === '1.1') &&
          // eslint-disable-next-line no-control-regex -- looks for control characters
          !fields.some(([name, value]) => /[\0-\x08\x0a-\x1f\x7f]/.test(name + value))
        );
      } catch (error) {
        return error instanceof AlterError && error.code === 'malformed_request';
      }
    }),
    { numRuns: 5000 },
  );
  t.true(passed > 100, `only ${passed} heads passed`);
});
