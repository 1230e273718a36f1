import test from 'ava';
import fc from 'fast-check';
import { HeaderList } from '../../src/message/header-list.ts';
import { strippedRequestHeaders } from '../../src/message/hop-by-hop.ts';
import { decodeComponent, parameterName } from '../../src/message/query.ts';
import { draftOf, injection } from '../support/injection.ts';

const NAMES = [
  'x-api-key',
  'authorization',
  'x-alter-grant',
  'x-alter-reason',
  'proxy-authorization',
  'proxy-x',
  'connection',
  'accept',
  'x-other',
];

/** A name in some mixture of cases, dashes and underscores. */
const spelled = fc.tuple(fc.constantFrom(...NAMES), fc.infiniteStream(fc.boolean())).map(([name, flips]) =>
  name
    .split('')
    .map((character) => (flips.next().value === true ? (character === '-' ? '_' : character.toUpperCase()) : character))
    .join(''),
);
const fieldValue = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('x-api-key', 'close, X-Api-Key', 'authorization', 'x-other, accept'),
);
const callerHeaders = fc.array(fc.tuple(spelled, fieldValue), { maxLength: 12 });

const key = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);

/** The field names of a list as a server reads them that makes variables of them. */
function asVariables(headers: HeaderList): string[] {
  return [...headers].map(([name]) => name.toLowerCase().replaceAll('_', '-'));
}

test('whatever the caller sends, one credential a place leaves, and nothing of the proxy', (t) => {
  fc.assert(
    fc.property(callerHeaders, key, (fields, value) => {
      const token = value.replaceAll(' ', '');
      const prepared = injection([{ kind: 'header', name: 'X-Api-Key', format: '{key}' }, { kind: 'bearer', format: '{token}' }], { key: value, token }); // prettier-ignore
      const request = draftOf('/', strippedRequestHeaders(new HeaderList(fields.flat())));
      void prepared.apply(request);
      const names = asVariables(request.headers);
      return (
        !names.some((name) => name.startsWith('x-alter-') || name.startsWith('proxy-') || name === 'connection') &&
        names.filter((name) => name === 'x-api-key').length === 1 &&
        names.filter((name) => name === 'authorization').length === 1 &&
        request.headers.get('x-api-key') === value &&
        request.headers.get('authorization') === `Bearer ${token}`
      );
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('fields that nobody claims leave in their order, untouched', (t) => {
  const own = fc.array(fc.tuple(fc.constantFrom('Accept', 'X-Other', 'accept', 'x_other', 'Cookie'), fc.string()), { maxLength: 8 });
  const prepared = injection([{ kind: 'bearer', format: '{key}' }], { key: 'sk' });
  fc.assert(
    fc.property(own, (fields) => {
      const request = draftOf('/', strippedRequestHeaders(new HeaderList(fields.flat())));
      void prepared.apply(request);
      return JSON.stringify([...request.headers]) === JSON.stringify([...fields, ['Authorization', 'Bearer sk']]);
    }),
  );
  t.pass();
});

test('whatever query the caller sends, one parameter of the name leaves, and the others byte for byte in order', (t) => {
  const parameter = fc.oneof(
    fc.constantFrom('key=mine', '%6bey=mine', 'k%65y', 'key', 'KEY=1', 'keys=2', '', '=', 'a=%zz', 'a+b=1'),
    fc.string({ unit: fc.constantFrom(...'key=%6b5+a'.split('')), maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(parameter, { maxLength: 8 }), key, (parameters, value) => {
      const request = draftOf(`/?${parameters.join('&')}`, new HeaderList());
      void injection([{ kind: 'query', name: 'key', format: '{key}' }], { key: value }).apply(request);
      const sent = (request.url.query ?? '').split('&');
      const last = sent.pop() ?? '';
      const others = parameters.join('&') === '' ? [] : parameters.filter((own) => parameterName(own) !== 'key');
      return last.startsWith('key=') && decodeComponent(last.slice(4)) === value && JSON.stringify(sent) === JSON.stringify(others);
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('a response field that repeats the credential, plain or in base64 of any text around it, never gets through', (t) => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[!-~]{16,40}$/),
      fc.string({ unit: 'grapheme-ascii' }),
      fc.string({ unit: 'grapheme-ascii' }),
      (value, before, after) => {
        const text = `${before}${value}${after}`;
        const list = new HeaderList([
          'a',
          text,
          'b',
          Buffer.from(text).toString('base64'),
          'c',
          Buffer.from(text).toString('base64url'),
          'd',
          'ok',
        ]);
        injection([{ kind: 'bearer', format: '{key}' }], { key: value }).scrub(list);
        return JSON.stringify([...list]) === JSON.stringify([['d', 'ok']]);
      },
    ),
    { numRuns: 1000 },
  );
  t.pass();
});

test('a response field that repeats the credential percent-encoded, wholly, in part or twice, never gets through', (t) => {
  /** A percent sign is always escaped, everything else at will, in digits of either case. */
  const encoded = (text: string, choices: Iterator<'as it is' | 'lower' | 'upper'>): string =>
    text.replace(/[!-~]/g, (character) => {
      const choice = choices.next().value;
      const escape = `%${character.charCodeAt(0).toString(16)}`;
      if (choice === 'as it is' && character !== '%') return character;
      return choice === 'upper' ? escape.toUpperCase() : escape;
    });
  const choices = fc.infiniteStream(fc.constantFrom('as it is', 'lower', 'upper'));
  const around = fc.stringMatching(/^[!-~]{0,8}$/);
  fc.assert(
    fc.property(fc.stringMatching(/^[!-~]{6,40}$/), around, around, choices, (value, before, after, chosen) => {
      const once = encoded(`${before}${value}${after}`, chosen);
      const list = new HeaderList(['a', once, 'b', `/login?next=${encoded(`/x?y=${once}`, chosen)}`, 'c', 'ok']);
      injection([{ kind: 'bearer', format: '{key}' }], { key: value }).scrub(list);
      return JSON.stringify([...list]) === JSON.stringify([['c', 'ok']]);
    }),
    { numRuns: 1000 },
  );
  t.pass();
});
