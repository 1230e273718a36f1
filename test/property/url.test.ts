import test from 'ava';
import fc from 'fast-check';
import { AlterError } from '../../src/errors.ts';
import { canonicalUrl, formatTarget, type CanonicalUrl } from '../../src/message/url.ts';

/** Targets made of the pieces that path tricks are made of. */
const piece = fc.constantFrom(
  ...[
    '/',
    '.',
    '..',
    ';',
    'a',
    'B',
    '~',
    '%',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    '%25',
    '25',
    '2e',
    '2f',
    '%c0',
    '%ae',
    '%af',
    '%e0',
    '%80',
    '%41',
    '%00',
  ],
  ...['\\', '?', '#', '&', '=', ' ', 'ü', '%3b', '%3f', '%23', '%2525252e', '%25252525252e', '%252525252f', '/%2525252e%2525252e'],
);
const target = fc.array(piece, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`);

function parsed(text: string): CanonicalUrl | undefined {
  try {
    return canonicalUrl(text);
  } catch (error) {
    if (error instanceof AlterError && error.code === 'malformed_request') return undefined;
    throw error;
  }
}

function decodeOnce(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Every reading of a path by servers that decode once, twice, or as often as there is something to decode. */
function readings(path: string): string[] {
  const decoded = decodeOnce(path);
  return decoded === path ? [path] : [path, ...readings(decoded)];
}

test('a canonical URL is its own canonical form', (t) => {
  fc.assert(
    fc.property(target, (text) => {
      const url = parsed(text);
      return url === undefined || JSON.stringify(parsed(formatTarget(url))) === JSON.stringify(url);
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

test('however often a server decodes, a canonical path has no dot segment', (t) => {
  fc.assert(
    fc.property(target, (text) => {
      const url = parsed(text);
      if (url === undefined) return true;
      return readings(url.path).every((reading) => reading.split(/[/\\]/).every((segment) => !/^\.{1,2}(?:$|[;?#])/.test(segment)));
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

test('a canonical path means what the path meant, and a WHATWG URL parser leaves it alone', (t) => {
  fc.assert(
    fc.property(target, (text) => {
      const url = parsed(text);
      if (url === undefined) return true;
      const raw = text.split('?')[0] ?? '';
      return decodeOnce(url.path) === decodeOnce(raw) && new URL(`https://api.example.com${url.path}`).pathname === url.path;
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

test('a canonical URL can stand in a request line', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        target,
        fc.string({ unit: 'binary' }).map((text) => `/${text}`),
      ),
      (text) => {
        const url = parsed(text);
        return url === undefined || /^\/[!-~]*$/.test(formatTarget(url));
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

test('long hostile paths are answered quickly', (t) => {
  for (const unit of ['%25', '%252e', '/..%2f'.replace('..', '%2525'), ';', '%c0%ae;', '%2525252525']) {
    const started = process.cpuUsage().user;
    parsed(`/${unit.repeat(16_384 / unit.length)}`);
    t.true(process.cpuUsage().user - started < 250_000, unit);
  }
});
