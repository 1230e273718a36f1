import test from 'ava';
import fc from 'fast-check';
import { AlterError } from '../../src/errors.ts';
import { formatAuthority, originKey, parseAuthority, parseOrigin, type Authority } from '../../src/message/authority.ts';

const label = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((text) => `[${text}]`),
);
const port = fc.integer({ min: 1, max: 65535 });

function parsed(text: string): Authority | undefined {
  try {
    return parseAuthority(text);
  } catch (error) {
    if (error instanceof AlterError && error.code === 'malformed_request') return undefined;
    throw error;
  }
}

test('an authority that is read is written and read again as the same', (t) => {
  fc.assert(
    fc.property(fc.oneof(name, address), port, (host, number) => {
      const first = parsed(`${host.toUpperCase()}:${number}`);
      if (first === undefined) return host.startsWith('[');
      return JSON.stringify(parsed(formatAuthority(first))) === JSON.stringify(first);
    }),
  );
  t.pass();
});

test('whatever text comes, the answer is a canonical authority or malformed_request', (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'ab.1270x[]:%@-_ /\\A\0é'.split('')), maxLength: 24 }).map((host) => `${host}:443`),
  );
  fc.assert(
    fc.property(text, (input) => {
      const authority = parsed(input);
      return authority === undefined || JSON.stringify(parsed(formatAuthority(authority))) === JSON.stringify(authority);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('every host that is accepted is the same host to a WHATWG URL parser', (t) => {
  const host = fc.oneof(name, address, fc.string({ unit: fc.constantFrom(...'ab.12790xfF-_'.split('')), minLength: 1, maxLength: 16 }));
  fc.assert(
    fc.property(host, (input) => {
      const authority = parsed(`${input}:8443`);
      if (authority === undefined) return true;
      const url = `https://${input}:8443/`;
      // Some parsers refuse xn-- labels that encode no name; none reads another host in them.
      if (!URL.canParse(url)) return input.toLowerCase().includes('xn--');
      return new URL(url).host === formatAuthority(authority);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('an origin key is read back as the same origin', (t) => {
  fc.assert(
    fc.property(name, port, fc.constantFrom('http', 'https'), (host, number, scheme) => {
      const key = originKey(parseOrigin(`${scheme}://${host}:${number}`));
      return key === `${scheme}://${host}:${number}` && originKey(parseOrigin(key)) === key;
    }),
  );
  t.pass();
});
